import type { FirstFlight } from '@whirl/rotator';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { firstFlight } from './first-flight.ts';
import { FlightReader } from './flight-reader.ts';

/** The beginning of a ClientHello of 16 KiB, in records of a byte each. */
function helloInRecords(bytes: number): Buffer {
  const message = Buffer.alloc(Math.ceil(bytes / 6));
  message.set([1, 0, 0x3f, 0xf0, 3, 3]);
  const records = [...message].map((byte) => Buffer.from([22, 3, 1, 0, 1, byte]));
  return Buffer.concat(records, bytes);
}

/** How many bytes are read of a flight of which each byte is a write of its own. */
function bytesRead(flight: Buffer, mode: 'tls' | 'http'): number {
  const push = vi.spyOn(FlightReader.prototype, 'push');
  onTestFinished(() => push.mockRestore());
  const rule = firstFlight(mode, 'client') as FirstFlight;
  for (let length = 1; length <= flight.length; length++) {
    rule.repeatable(flight.subarray(0, length));
  }
  return push.mock.calls.reduce((sum, [chunk]) => sum + chunk.length, 0);
}

describe('W17 the first flight is read once', () => {
  it.each([
    ['a ClientHello', 'tls', helloInRecords(65_536)],
    ['other bytes', 'tls', Buffer.alloc(65_536, 'x')],
    ['the head of a request', 'http', Buffer.from(`GET /${'a'.repeat(9000)} HTTP/1.1\r\n`)],
  ] as const)('W17 %s in single bytes: each byte is read once', (_, mode, flight) => {
    expect(bytesRead(flight, mode)).toBe(flight.length);
  });

  it('W17 two tunnels do not share what was read', () => {
    const [one, two] = [firstFlight('tls', 'client'), firstFlight('tls', 'client')];
    expect(one?.repeatable(Buffer.from('GET'))).toBe(false);
    expect(two?.repeatable(Buffer.from([22, 3, 1]))).toBe(true);
    expect(two?.repeatable(Buffer.from([22, 3, 1, 0]))).toBe(true);
    expect(two?.repeatable(Buffer.from([22, 3, 1, 0, 0]))).toBe(false);
  });
});
