import { describe, expect, it } from 'vitest';
import { FirstFlightHold } from './first-flight-hold.ts';

const always = { repeatable: () => true };

describe('T4 the first flight that is held', () => {
  it('T4 64 KiB in single bytes are copied a few times, not at each of them', () => {
    const written = Buffer.from(Array.from({ length: 65_536 }, (_, i) => i % 251));
    const hold = new FirstFlightHold(always);
    const copies = new Set<ArrayBufferLike>();
    for (let at = 0; at < written.length; at++) {
      hold.add(written.subarray(at, at + 1));
      copies.add(hold.bytes.buffer);
    }
    expect(hold.bytes.equals(written)).toBe(true);
    // The room doubles with each copy.
    expect(copies.size).toBeLessThanOrEqual(1 + Math.log2(65_536));
  });

  it('T4 what was handed out stays as it was, and the chunk of the caller too', () => {
    const first = Buffer.from('hel');
    const hold = new FirstFlightHold(always);
    hold.add(first);
    const sent = hold.send();
    hold.add(Buffer.from('lo'));
    hold.add(Buffer.from('!'));
    expect([first, sent, hold.bytes].map(String)).toEqual(['hel', 'hel', 'hello!']);
  });

  it('T4 a byte above 64 KiB, and nothing is kept', () => {
    const hold = new FirstFlightHold(always);
    hold.add(Buffer.alloc(65_535, 'x'));
    hold.send();
    hold.add(Buffer.from('y'));
    expect([hold.repeatable, hold.bytes.length]).toEqual([true, 65_536]);
    hold.add(Buffer.from('z'));
    expect([hold.repeatable, hold.bytes.length, hold.empty]).toEqual([false, 0, false]);
  });
});
