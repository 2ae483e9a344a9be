import { ProxyRotator } from '@whirl/rotator';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { startFleet } from './fleet.ts';

it('D17 the server starts without Redis, logs that it decides alone, and shows no password', async () => {
  const lines: string[] = [];
  const logger = pino({}, { write: (line: string) => void lines.push(line) });
  // A port on which nothing listens any more.
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  const rotator = new ProxyRotator({ proxies: ['http://127.0.0.1:9'] });
  const url = `redis://:hunter2@127.0.0.1:${port}`;
  const fleet = await startFleet({ rotator, url, pool: 'p', logger });
  await expect.poll(() => lines.join(''), { timeout: 10_000 }).toContain('decides alone');
  await fleet.close();
  await rotator.close();
  expect(lines.join('')).not.toContain('hunter2');
});
