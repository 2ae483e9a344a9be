import { consistent, roundRobin } from '@whirl/selector';
import { afterEach, describe, expect, it } from 'vitest';
import { World, type Process } from './testing/world.ts';

let world: World;
afterEach(() => world.end());

const ids = Array.from({ length: 20 }, (_, i) => `p${i}`);
const sessions = Array.from({ length: 10_000 }, (_, i) => `session-${i}`);
const home = ({ pool }: Process, session: string) =>
  pool.request(() => 'success', [], session) ?? 'none';
const strategy = () => consistent(roundRobin());

describe('D30 sessions', () => {
  it('8 processes agree; a dead proxy moves its own, and they stay moved everywhere when it is back', async () => {
    world = new World({ ids, strategy });
    const processes = world.startMany(8, { everyMs: 100 });
    await world.run(1000);
    const before = sessions.map((session, i) => home(processes[i % 8]!, session));
    const agreed = sessions.filter((session, i) =>
      processes.every((each) => home(each, session) === before[i]),
    );
    expect(agreed.length).toBe(10_000);

    world.dead.add('p3');
    await world.until(() => world.open('p3').length === 8, 9000);
    // Each session is used in one process alone while its proxy is dead.
    const during = sessions.map((session, i) => home(processes[i % 8]!, session));
    const others = (list: string[]) => list.filter((_, i) => before[i] !== 'p3');
    expect(others(during)).toEqual(others(before));
    expect(during).not.toContain('p3');
    await world.run(1000);

    world.dead.delete('p3');
    await world.until(() => world.open('p3').length === 0, 20_000);
    const wrong = sessions.filter((session, i) =>
      processes.some((each) => home(each, session) !== during[i]),
    );
    expect(wrong.length).toBeLessThanOrEqual(10);
  });

  it('a newcomer learns what has moved, also when the log has forgotten it, and does not report it again', async () => {
    world = new World({ ids, strategy });
    const [first] = world.startMany(2, { everyMs: 100 });
    await world.run(1000);
    const mine = sessions.filter((session) => home(first!, session) === 'p3').slice(0, 50);
    first!.pool.circuits.get('p3').forceOpen();
    const during = mine.map((session) => home(first!, session));
    first!.pool.circuits.get('p3').reset();
    await world.run(120_000);
    const newcomer = world.start('newcomer', { everyMs: 0 });
    await world.run(1000);
    expect(mine.map((session) => home(newcomer, session))).toEqual(during);
    await world.run(1000);
    expect(newcomer.fleet.metrics().rows.sent).toBe(0);
  });

  it('only what deviates is sent, once, and no session by its name', async () => {
    const asked: string[] = [];
    world = new World({ ids, strategy });
    const { store } = world;
    const heard = {
      ...store,
      sync: (ask: Parameters<typeof store.sync>[0]) => {
        asked.push(JSON.stringify(ask));
        return store.sync(ask);
      },
    };
    const first = world.start('first', { everyMs: 0, store: heard });
    world.start('second', { everyMs: 0 });
    await world.run(1000);
    const mine = sessions.slice(0, 1000);
    const before = mine.map((session) => home(first, session));
    await world.run(5000);
    expect(first.fleet.metrics().rows.sent).toBe(0);
    first.pool.circuits.get('p3').forceOpen();
    for (const session of mine) home(first, session);
    await world.run(5000);
    for (const session of mine) home(first, session);
    await world.run(5000);
    expect(first.fleet.metrics().rows.sent).toBe(before.filter((id) => id === 'p3').length);
    expect(asked.join('')).not.toContain('session-');
  });

  it('share: { sessions: false } keeps them here', async () => {
    world = new World({ ids, strategy });
    const [first, second] = world.startMany(2, { everyMs: 0, share: { sessions: false } });
    await world.run(1000);
    const session = sessions.find((each) => home(first!, each) === 'p3') as string;
    first!.pool.circuits.get('p3').forceOpen();
    expect(home(first!, session)).not.toBe('p3');
    await world.run(2000);
    expect(home(second!, session)).toBe('p3');
  });
});
