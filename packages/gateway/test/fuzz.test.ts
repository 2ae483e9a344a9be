import { openWire, seededRandom } from '@whirl/testkit';
import { expect, it } from 'vitest';
import { rig, until } from './support/rig.ts';
import { scripts } from './support/scripted-proxy.ts';

const documented = new Set([200, 400, 403, 407, 408, 417, 429, 431, 501, 502, 503, 504, 505, 508]);
const heads = [
  'CONNECT shop.example:443 HTTP/1.1\r\nHost: shop.example:443\r\n\r\n',
  'CONNECT [2001:db8::1]:443 HTTP/1.1\r\nProxy-Authorization: Basic YW5uOng=\r\n\r\n',
  'GET http://shop.example/a?b HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n',
  'POST http://shop.example/ HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello',
  'POST http://shop.example/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: shop.example\r\nX-Whirl-Session: a\r\nVia: 1.1 b\r\n\r\n',
].map((head) => Buffer.from(head));
const salt = [
  '\r',
  '\n',
  '\r\n',
  ' ',
  '\t',
  ':',
  '\0',
  '\u007f',
  '/',
  '@',
  '%',
  '[',
  ']',
  ',',
  'é',
  ';',
  '0',
  'HTTP/1.1',
  'Host: x\r\n',
  '\r\n ',
].map((each) => Buffer.from(each));

/** One of the heads with some bytes changed, left out, put in or said twice. */
function mutated(random: () => number): Buffer {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  let bytes = Buffer.from(pick(heads));
  for (let n = Math.floor(random() * 4); n >= 0; n--) {
    const at = Math.floor(random() * bytes.length);
    const end = Math.min(bytes.length, at + Math.floor(random() * 8));
    const kind = Math.floor(random() * 4);
    const middle =
      kind === 0
        ? Buffer.from([Math.floor(random() * 256)])
        : kind === 1
          ? pick(salt)
          : kind === 2
            ? Buffer.alloc(0)
            : Buffer.concat([bytes.subarray(at, end), bytes.subarray(at, end)]);
    bytes = Buffer.concat([
      bytes.subarray(0, at),
      middle,
      bytes.subarray(kind === 0 ? at + 1 : end),
    ]);
  }
  return bytes;
}

it('W33 12,000 mutated heads get documented responses, and nothing is forwarded that should not be', async () => {
  const answers = scripts.status('502 Bad Gateway');
  const { port, gateway, proxies } = await rig(
    [answers],
    { headTimeoutMs: 200, maxPerClient: 100_000, retryPolicy: { maxAttempts: 1 } },
    { retryPolicy: { maxAttempts: 1 }, circuitBreaker: false, tunnel: 'always', metrics: false },
  );
  const random = seededRandom(33);
  const seen = new Map<number, number>();
  const total = 12_000;
  let sent = 0;
  const client = async () => {
    while (sent++ < total) {
      const bytes = mutated(random);
      const wire = await openWire(port);
      wire.write(bytes);
      await wire.ended;
      const text = wire.received.toString('latin1');
      wire.close();
      for (const [, code] of text.matchAll(/^HTTP\/1\.1 (\d{3})/gm)) {
        const number = Number(code);
        if (number !== 100) expect(documented, bytes.toString('latin1')).toContain(number);
        seen.set(number, (seen.get(number) ?? 0) + 1);
      }
      if (text !== '' && text.charCodeAt(0) !== 5) {
        expect(text, bytes.toString('latin1')).toMatch(/^HTTP\/1\.1 /);
      }
    }
  };
  await Promise.all(Array.from({ length: 64 }, client));
  // Each of these was reached, so that the mutations are not all refused for one reason.
  for (const code of [400, 502]) expect(seen.get(code) ?? 0).toBeGreaterThan(20);
  await until(() => gateway.stats().connections === 0);
  // Whatever went upstream is one CONNECT for one host and port, with none of the client's own fields.
  for (const { tunnels } of proxies) {
    for (const { head } of tunnels) {
      expect(head).toMatch(/^CONNECT [a-z0-9._:[\]-]+:\d{1,5} HTTP\/1\.1\r\nHost: [^\r\n]+$/);
    }
  }
}, 180_000);
