import { afterEach, expect, it, vi } from 'vitest';

/** What sinon leaves of `performance`. */
const faked = { now: () => 7, timeOrigin: () => undefined };

afterEach(() => void vi.unstubAllGlobals());

it('K20c fake timers that came before the package do not break its clock', async () => {
  vi.resetModules();
  vi.stubGlobal('performance', faked);
  const { Selector } = await import('./index.ts');
  const selector = new Selector();
  for (const [id, from] of Object.entries({ a: 1000, b: -1000 })) {
    selector.add({ id });
    selector.ban(id, Date.now() + from);
  }
  expect([selector.availableCount, selector.select()?.id]).toEqual([1, 'b']);
});

it('K20c fake timers that came after it do not break it either', async () => {
  vi.resetModules();
  const { Selector } = await import('./index.ts');
  const started = performance.timeOrigin;
  vi.stubGlobal('performance', faked);
  const selector = new Selector();
  selector.add({ id: 'a' });
  selector.ban('a', started + 8);
  expect(selector.availableCount).toBe(0);
  faked.now = () => 8;
  expect(selector.availableCount).toBe(1);
});
