import { openWire, seededRandom } from '@whirl/testkit';
import { expect, it } from 'vitest';
import { clientHello } from './support/client-hello.ts';
import { granted, rig, startServer, until } from './support/rig.ts';
import { scripts } from './support/scripted-proxy.ts';

const hello = clientHello([0, 9], [43, 3]);

it('W38 10,000 CONNECTs from 64 clients, half through dead proxies: all get a response, and nothing is left', async () => {
  const server = await startServer((socket) => void socket.pipe(socket));
  const dead = scripts.status('502 Bad Gateway');
  const { port, gateway, rotator, proxies } = await rig(
    [dead, scripts.pass, dead, scripts.pass, dead, scripts.pass],
    {},
    { circuitBreaker: false, connections: 1 },
  );
  const total = 10_000;
  let asked = 0;
  let echoed = 0;
  const client = async () => {
    while (asked < total) {
      const word = `word ${asked++}`;
      const wire = await openWire(port);
      wire.write(`CONNECT 127.0.0.1:${server.port} HTTP/1.1\r\nHost: a\r\n\r\n${word}`);
      await wire.read(word);
      echoed++;
      wire.close();
    }
  };
  await Promise.all(Array.from({ length: 64 }, client));
  await until(() => gateway.stats().connections === 0 && server.sockets.size === 0);
  expect(echoed).toBe(total);
  const stats = gateway.stats();
  expect(stats).toMatchObject({ tunnels: total, failed: 0, lost: 0, openTunnels: 0 });
  const dialled = proxies.reduce((sum, { tunnels }) => sum + tunnels.length, 0);
  expect(dialled).toBe(total + stats.failovers);
  expect(stats.failovers).toBeGreaterThan(1000);
  const summary = rotator.getRetryMetrics().getSummary();
  expect(summary.totalRequests).toBe(total);
  const successes = Object.values(summary.successByAttempt).reduce((sum, each) => sum + each, 0);
  expect(successes).toBe(total);
  expect(rotator.inFlight()).toEqual([]);
  await until(() => proxies.every((each) => each.openSockets() === 0));
}, 180_000);

it('W38 with half of the clients leaving in the middle the counts add up too', async () => {
  const server = await startServer((socket) => void socket.pipe(socket));
  const dead = scripts.status('502 Bad Gateway');
  const { port, gateway, rotator, proxies } = await rig(
    [dead, scripts.pass, scripts.silent, scripts.pass],
    { firstByteMs: 50, quietMs: 50 },
    { circuitBreaker: false },
  );
  const random = seededRandom(38);
  let left = 2000;
  const client = async () => {
    while (left-- > 0) {
      const wire = await openWire(port);
      wire.write(`CONNECT 127.0.0.1:${server.port} HTTP/1.1\r\nHost: a\r\n\r\n`);
      if (random() < 0.5) {
        wire.write(hello);
        await Promise.race([wire.ended, wire.read(granted.length + hello.length)]);
      } else await new Promise((resolve) => setTimeout(resolve, random() * 30));
      wire.close();
    }
  };
  await Promise.all(Array.from({ length: 64 }, client));
  await until(() => gateway.stats().connections === 0 && server.sockets.size === 0);
  expect(rotator.inFlight()).toEqual([]);
  expect(gateway.stats()).toMatchObject({ openTunnels: 0 });
  await until(() => proxies.every((each) => each.openSockets() === 0));
}, 180_000);
