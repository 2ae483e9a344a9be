import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { FirstFlight, Tunnel } from '../../src/index.ts';
import { startRawTarget, tunnelRig } from '../support/tunnel-rig.ts';

const host = '127.0.0.1';
const always: FirstFlight = { repeatable: () => true };
const silent = { kind: 'silent-after-connect' } as const;
const good = { kind: 'ok' } as const;

async function heard(tunnel: Tunnel): Promise<string> {
  const [chunk] = (await once(tunnel, 'data')) as [Buffer];
  return chunk.toString();
}

it('T5 with replay, what may not be sent again is waited for as a response is', async () => {
  const { port } = await startRawTarget((socket) => {
    socket.once('data', () => setTimeout(() => socket.write('late'), 300));
  });
  const { rotator, proxies, told } = await tunnelRig([good, good]);
  const replay: FirstFlight = { repeatable: (written) => written.toString() === 'hel' };
  const tunnel = await rotator.connect({ host, port, replay, firstByteMs: 50 });
  tunnel.write('hel');
  tunnel.write('lo');
  expect(await heard(tunnel)).toBe('late');
  expect(tunnel.proxyId).toBe(proxies[0]?.id);
  expect(told('attempt:end')).toMatchObject([{ outcome: 'success' }]);
  tunnel.destroy();
});

it('T6 a quiet tunnel without another proxy stays where it is, and is not dialled again', async () => {
  const { port } = await startRawTarget(() => {});
  const { rotator, proxies, told } = await tunnelRig([silent]);
  const tunnel = await rotator.connect({ host, port, replay: always, quietMs: 50 });
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(proxies[0]?.stats.connects).toBe(1);
  expect(told('retry:scheduled')).toEqual([]);
  tunnel.destroy();
});

describe('T6b what comes before the first write', () => {
  const replay: FirstFlight = {
    repeatable: () => true,
    plausible: (written, first) => written.length === 0 || first.toString() === 'hi',
    greetingMs: 100,
  };

  it('waits for it, and is judged with it', async () => {
    const { port } = await startRawTarget((socket) => void socket.write('hi'));
    const { rotator, proxies } = await tunnelRig([{ kind: 'plain-after-connect' }, good]);
    const tunnel = await rotator.connect({ host, port, replay: { ...replay, greetingMs: 5000 } });
    tunnel.write('hello');
    expect(await heard(tunnel)).toBe('hi');
    expect(tunnel.proxyId).toBe(proxies[1]?.id);
    tunnel.destroy();
  });

  it('is passed on when that does not come, with its end', async () => {
    const { port } = await startRawTarget((socket) => void socket.end('all I have to say'));
    const { rotator } = await tunnelRig([good]);
    const tunnel = await rotator.connect({ host, port, replay });
    let text = '';
    for await (const chunk of tunnel) text += String(chunk);
    expect(text).toBe('all I have to say');
  });

  it('is passed on at once without greetingMs', async () => {
    const { port } = await startRawTarget((socket) => void socket.write('hi'));
    const { rotator } = await tunnelRig([good]);
    const tunnel = await rotator.connect({ host, port, replay: always });
    expect(await heard(tunnel)).toBe('hi');
    tunnel.destroy();
  });

  it.each([-1, Number.NaN, '1'])('greetingMs %j is refused', async (greetingMs) => {
    const { rotator } = await tunnelRig([good]);
    const bad = { ...replay, greetingMs } as FirstFlight;
    await expect(rotator.connect({ host, port: 1, replay: bad })).rejects.toThrow(
      /replay\.greetingMs must be a number ≥ 0/,
    );
  });
});

describe('T6c an outage that a tunnel finds', () => {
  const close = { kind: 'close-after-connect' } as const;

  it('does not end it: proxy after proxy is tried', async () => {
    const { port } = await startRawTarget((socket) => void socket.write('hi'));
    const { rotator, told } = await tunnelRig([close, close, close, close, close, close, good]);
    const tunnel = await rotator.connect({ host, port, replay: always });
    expect(await heard(tunnel)).toBe('hi');
    expect(told('target:down')).toHaveLength(1);
    expect(told('attempt:end')).toHaveLength(7);
    tunnel.destroy();
  });

  it('holds back the next one, which makes one attempt', async () => {
    const { port } = await startRawTarget(() => {});
    const { rotator, told } = await tunnelRig(Array(7).fill(close));
    const dies = async () => {
      const tunnel = await rotator.connect({ host, port, replay: always });
      tunnel.resume();
      await once(tunnel, 'error');
    };
    await dies();
    const before = told('attempt:end').length;
    await dies();
    expect(told('attempt:end')).toHaveLength(before + 1);
  });
});
