import { describe, expect, it } from 'vitest';
import { mostlyToBlame, verdictOn } from './blame.ts';
import type { WireTarget } from './wire.ts';

const target = (origin: string, fields: Partial<WireTarget> = {}): WireTarget => ({
  origin,
  state: 'up',
  reason: '',
  attempts: 1,
  success_rate: 1,
  failures: {},
  ...fields,
});
const all = (closed: number, open = 0) => ({ closed, open, half_open: 0 });

describe('who is to blame', () => {
  it('E7 a target that is down is named, and the proxies are shown as fine', () => {
    const shop = target('https://api.shop.test', { state: 'down' });
    expect(verdictOn([target('https://a.test'), shop], all(40))).toBe(
      'api.shop.test responds to no proxy; your 40 proxies are fine.',
    );
    expect(verdictOn([shop], all(1))).toBe(
      'api.shop.test responds to no proxy; your one proxy is fine.',
    );
    expect(verdictOn([shop], all(30, 10))).toBe(
      'api.shop.test responds to no proxy; 30 of your 40 proxies are fine.',
    );
    expect(verdictOn([shop], all(0, 3))).toBe(
      'api.shop.test responds to no proxy; all circuits are open.',
    );
    expect(verdictOn([shop, shop], all(40))).toBe(
      '2 targets respond to no proxy; your 40 proxies are fine.',
    );
  });

  it('E7 nothing is shown while all respond', () => {
    expect(verdictOn([target('https://a.test')], all(3))).toBeUndefined();
  });

  it('E7 most of the failures have one cause', () => {
    expect(mostlyToBlame(target('x', { failures: { proxy: 3, target: 9, unknown: 1 } }))).toBe(
      'target',
    );
    expect(mostlyToBlame(target('x', { failures: { proxy: 0 } }))).toBeUndefined();
  });
});
