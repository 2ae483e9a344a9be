import https from 'node:https';
import http from 'node:http';
import net from 'node:net';
import tls from 'node:tls';
import type { AttemptEnd, CircuitTransition } from '@whirl/events';
import { certificateOf } from '@whirl/testkit';
import { ProxyRotator, type RotatorOptions } from '../../src/index.ts';
import { fast } from './pool-rig.ts';
import { listenOn, startWireProxy, type WireProxy } from './wire-proxy.ts';

/** A target: how it treats a connection (bytes), or a request. */
export type TargetKind =
  | { readonly secure?: boolean; readonly connection: (socket: net.Socket) => void }
  | {
      readonly secure?: boolean;
      readonly request: http.RequestListener;
      readonly wrongCertificate?: boolean;
    };

export interface BlameWorld {
  readonly proxies: readonly WireProxy[];
  readonly rotator: ProxyRotator;
  readonly ends: readonly AttemptEnd[];
  readonly transitions: readonly CircuitTransition[];
  /** Lets that time pass for the rotator at once: its timers do not hear of it. */
  skip(ms: number): void;
  /** The status of a request, or the code of its error. */
  ask(url: string, options?: Parameters<ProxyRotator['request']>[1]): Promise<number | string>;
  /** Circuits that opened, but for provisional ones, by proxy id. */
  opened(): string[];
  close(): Promise<void>;
}

/** Real proxies and targets on loopback that the rotator knows by name, and what it told of them. */
export async function blameWorld(
  size: number,
  targets: Readonly<Record<string, TargetKind>>,
  options: RotatorOptions = {},
): Promise<BlameWorld> {
  const closing: (() => unknown)[] = [];
  const ports = new Map<string, number>();
  const right = await certificateOf('good.test');
  const wrong = await certificateOf('wrong.test');
  const cas = new Set([right.cert]);
  for (const [name, kind] of Object.entries(targets)) {
    const sockets = new Set<net.Socket>();
    const certificate = 'wrongCertificate' in kind ? wrong : await certificateOf(name);
    if (!('wrongCertificate' in kind)) cas.add(certificate.cert);
    let server: net.Server;
    if ('request' in kind) {
      server =
        kind.secure === true
          ? https.createServer(certificate, kind.request)
          : http.createServer(kind.request);
    } else {
      server =
        kind.secure === true
          ? tls.createServer(certificate, (socket) => {
              socket.on('error', () => {});
              kind.connection(socket);
            })
          : net.createServer(kind.connection);
    }
    server.on('tlsClientError', () => {});
    const { port, close } = await listenOn(server, sockets);
    ports.set(name, port);
    closing.push(close);
  }
  const proxies = await Promise.all(Array.from({ length: size }, () => startWireProxy(ports)));
  const base = Date.now() - performance.now();
  let skippedMs = 0;
  const rotator = new ProxyRotator({
    now: () => base + performance.now() + skippedMs,
    proxies: proxies.map(({ url }) => url),
    retryPolicy: { ...fast, attemptTimeoutMs: 400 },
    tls: { ca: [...cas] },
    // The proxies copy bytes: a connection leads to one target.
    keepAlive: false,
    ...options,
  });
  const ends: AttemptEnd[] = [];
  const transitions: CircuitTransition[] = [];
  rotator.bus.on('attempt:end', (event) => ends.push(event));
  rotator.bus.on('circuit:transition', (event) => transitions.push(event));
  return {
    proxies,
    rotator,
    ends,
    transitions,
    skip: (ms) => void (skippedMs += ms),
    async ask(url, asked) {
      try {
        const response = await rotator.request(url, asked);
        try {
          await response.body.dump();
        } catch {
          return 'BODY';
        }
        return response.statusCode;
      } catch (error) {
        return (error as { code?: string }).code ?? String(error);
      }
    },
    opened: () =>
      transitions
        .filter(({ to, provisional }) => to === 'open' && provisional !== true)
        .map(({ name }) => name),
    async close() {
      await rotator.destroy();
      await Promise.all([...proxies.map((proxy) => proxy.close()), ...closing.map((end) => end())]);
    },
  };
}

/**
 * A deadline for attempts among which some hang: 400 ms, and up to 2 s on a machine that is too busy to serve a good
 * one in that time. It is four times what requests to that target take now, five at once through flawless proxies.
 */
export async function fairTimeoutMs(target: TargetKind): Promise<number> {
  const world = await blameWorld(
    5,
    { 'good.test': target },
    { retryPolicy: { ...fast, attemptTimeoutMs: 60_000 } },
  );
  try {
    const url = `http${target.secure === true ? 's' : ''}://good.test/`;
    let longestMs = 0;
    await inLanes(15, 5, async () => {
      const startedAt = performance.now();
      await world.ask(url);
      longestMs = Math.max(longestMs, performance.now() - startedAt);
    });
    return Math.min(Math.max(400, Math.ceil(4 * longestMs)), 2000);
  } finally {
    await world.close();
  }
}

/** Runs so many jobs with so many at once. */
export async function inLanes(
  count: number,
  lanes: number,
  job: (i: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      while (next < count) await job(next++);
    }),
  );
}
