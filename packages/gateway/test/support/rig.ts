import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { roundRobin } from '@whirl/selector';
import { openWire, type Wire } from '@whirl/testkit';
import type { WhirlEvents } from '@whirl/events';
import { ProxyRotator, type RotatorOptions } from '@whirl/rotator';
import { afterEach } from 'vitest';
import { createGateway, type Gateway, type GatewayOptions } from '../../src/index.ts';
import { startScripted, type Script, type ScriptedProxy } from './scripted-proxy.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

/** Closes it after the test, in reverse order. */
export function use<T extends { close(): unknown }>(each: T): T {
  open.push(each);
  return each;
}

export interface Rig {
  readonly gateway: Gateway;
  readonly rotator: ProxyRotator;
  /** The attempts that have ended, in their order. */
  readonly ends: WhirlEvents['attempt:end'][];
  readonly proxies: readonly ScriptedProxy[];
  readonly port: number;
  /** The proxies that got a CONNECT, in their order in the rig, with how often. */
  connects(): number[];
}

/** A gateway before scripted proxies, which are taken in their order. */
export async function rig(
  scripts: readonly Script[],
  options: GatewayOptions = {},
  rotatorOptions: RotatorOptions = {},
): Promise<Rig> {
  const proxies = await Promise.all(scripts.map(async (each) => use(await startScripted(each))));
  const rotator = new ProxyRotator({
    proxies: proxies.map(({ url }) => url),
    strategy: roundRobin(),
    random: () => 0.999,
    retryPolicy: { maxAttempts: 10, baseDelayMs: 100, connectTimeoutMs: 400 },
    ...rotatorOptions,
  });
  use({ close: () => rotator.destroy() });
  const ends: WhirlEvents['attempt:end'][] = [];
  rotator.bus.on('attempt:end', (event) => ends.push(event));
  const gateway = createGateway(rotator, { port: 0, ...options });
  use({ close: () => gateway.close({ graceMs: 0 }) });
  const { port } = await gateway.listen();
  return {
    gateway,
    rotator,
    ends,
    proxies,
    port,
    connects: () => proxies.map(({ tunnels }) => tunnels.length),
  };
}

/** Writes bytes to a port, and says what came back when the other side has ended. */
export async function exchange(
  port: number,
  ...bytes: readonly (string | Buffer)[]
): Promise<{ readonly text: string; readonly ended: 'fin' | 'reset' }> {
  const wire = use(await openWire(port));
  for (const each of bytes) wire.write(each);
  const ended = await wire.ended;
  return { text: wire.received.toString('latin1'), ended };
}

/** A tunnel asked for with CONNECT, once it is granted. */
export async function tunnelTo(port: number, authority: string, fields = ''): Promise<Wire> {
  const wire = use(await openWire(port));
  wire.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${fields}\r\n`);
  await wire.read('\r\n\r\n');
  return wire;
}

export const granted = 'HTTP/1.1 200 Connection established\r\n\r\n';

/** TLS over a connection that has a tunnel already: resolves to what the target says to a GET. */
export async function tlsThrough(port: number, authority: string, ca: string): Promise<string> {
  const socket = net.connect(port, '127.0.0.1');
  use({ close: () => socket.destroy() });
  await once(socket, 'connect');
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
  const [head] = (await once(socket, 'data')) as [Buffer];
  if (head.toString() !== granted) throw new Error(head.toString());
  const secure = tls.connect({ socket, ca, servername: 'localhost' });
  await once(secure, 'secureConnect');
  secure.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  let text = '';
  for await (const chunk of secure) text += String(chunk);
  return text;
}

/** A TCP server that does with each connection what a test says. */
export async function startServer(
  serve: (socket: net.Socket) => void,
): Promise<{ readonly port: number; readonly sockets: Set<net.Socket>; close(): Promise<void> }> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return use({
    port: (server.address() as net.AddressInfo).port,
    sockets,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  });
}

/** Resolves when a condition holds; looks at it in every turn of the loop. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}
