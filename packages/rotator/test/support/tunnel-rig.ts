import net from 'node:net';
import { roundRobin } from '@whirl/selector';
import type { WhirlEvents } from '@whirl/events';
import { startProxy, type Behaviour, type FlakyProxy } from '@whirl/testkit';
import { ProxyRotator, type RotatorOptions } from '../../src/index.ts';
import { fast } from './pool-rig.ts';
import { use } from './rig.ts';

/** A target that speaks no HTTP. */
export interface RawTarget {
  readonly port: number;
  /** The connections that it has, oldest first. */
  readonly sockets: readonly net.Socket[];
  /** Everything that came, by connection. */
  readonly received: readonly Buffer[][];
  close(): Promise<void>;
}

/** Starts a target that does with each connection what `serve` says. Half-open connections stay open. */
export async function startRawTarget(serve: (socket: net.Socket) => void): Promise<RawTarget> {
  const sockets: net.Socket[] = [];
  const received: Buffer[][] = [];
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    const chunks: Buffer[] = [];
    sockets.push(socket);
    received.push(chunks);
    socket.on('error', () => socket.destroy()).on('data', (chunk: Buffer) => chunks.push(chunk));
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return use({
    port: (server.address() as net.AddressInfo).port,
    sockets,
    received,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  });
}

/** Sends everything back. */
export function echo(socket: net.Socket): void {
  socket.pipe(socket);
}

export interface TunnelRig {
  readonly rotator: ProxyRotator;
  readonly proxies: readonly FlakyProxy[];
  told<Type extends keyof WhirlEvents>(type: Type): WhirlEvents[Type][];
  /** The next event of one type. */
  next<Type extends keyof WhirlEvents>(type: Type): Promise<WhirlEvents[Type]>;
}

/** Proxies that behave as told, taken in their order, and a rotator that fails over without waiting. */
export async function tunnelRig(
  behaviours: readonly Behaviour[],
  options: RotatorOptions = {},
): Promise<TunnelRig> {
  const proxies = await Promise.all(
    behaviours.map(async (behaviour) => use(await startProxy({ behaviour }))),
  );
  const rotator = new ProxyRotator({
    proxies: proxies.map(({ url }) => url),
    retryPolicy: { ...fast, maxAttempts: 10 },
    strategy: roundRobin(),
    random: () => 0.999,
    ...options,
  });
  use({ close: () => rotator.destroy() });
  const facts: { type: string }[] = [];
  rotator.bus.on('*', (type, event) => facts.push({ type, ...event }));
  return {
    rotator,
    proxies,
    told: <Type extends keyof WhirlEvents>(type: Type) =>
      facts.filter((fact) => fact.type === type) as unknown as WhirlEvents[Type][],
    next: <Type extends keyof WhirlEvents>(type: Type) =>
      new Promise<WhirlEvents[Type]>((resolve) => {
        rotator.bus.once(type, resolve);
      }),
  };
}
