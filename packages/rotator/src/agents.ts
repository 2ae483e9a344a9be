import http from 'node:http';
import https from 'node:https';
import type { Duplex } from 'node:stream';
import type { ConnectionOptions } from 'node:tls';
import { shown } from '@whirl/check';
import { contextNames } from './connection/tls-client.ts';
import { InvalidRequestError } from './errors.ts';
import { planOf, type TunnelPlan } from './request/connect-options.ts';
import type { RoutingOptions } from './request/request-options.ts';
import type { TunnelStream } from './request/tunnel.ts';

/** How `agents()` makes its agents. It throws an `InvalidRequestError` that names a bad option. */
export interface AgentsOptions extends RoutingOptions {
  /**
   * Keep a connection for further requests to the same host. It stays with its proxy. Default true; `false` gives
   * every request a connection, and so a proxy, of its own.
   */
  readonly keepAlive?: boolean | undefined;
}

/** Agents for every client that takes an `http.Agent`. */
export interface Agents {
  readonly http: http.Agent;
  readonly https: https.Agent;
}

/** What agents need of the rotator. */
export interface TunnelSource {
  readonly closed: boolean;
  /** What is asked of the pool, as a part of the names under which agents keep connections. */
  readonly name: string;
  open(plan: TunnelPlan, onOpen: (tunnel: TunnelStream) => void): Promise<unknown>;
}

type Callback = (error: Error | null, socket: Duplex) => void;
type CreateSocket = (request: http.ClientRequest, options: object, callback: Callback) => void;

interface Wanted extends Omit<ConnectionOptions, 'host' | 'port'> {
  readonly host?: string;
  readonly port?: number;
  readonly socketPath?: string | null;
  readonly [requestKey]?: http.ClientRequest;
}

const requestKey: unique symbol = Symbol('whirl.request');

/** The tunnels of connections that were taken out of them. */
const tunnels = new WeakMap<Duplex, TunnelStream>();

/** Settings of one request's TLS that are no context's. */
const verifying = ['rejectUnauthorized', 'checkServerIdentity'] as const;

/** Opens http connections through the pool. */
export class TunnelAgent extends http.Agent {
  readonly #source: TunnelSource;

  constructor(source: TunnelSource, keepAlive: boolean) {
    super({ keepAlive });
    this.#source = source;
  }

  override getName(options?: http.ClientRequestArgs): string {
    return `${super.getName(options)}:${this.#source.name}`;
  }

  createSocket(request: http.ClientRequest, options: object, callback: Callback): void {
    nodesOwn(http.Agent).call(this, request, { ...options, [requestKey]: request }, callback);
  }

  override createConnection(options: object, callback?: unknown): undefined {
    connect(this.#source, options as Wanted, false, callback as Callback);
  }

  override keepSocketAlive(socket: Duplex): boolean {
    return rests(this.#source, socket) && keptBy(super.keepSocketAlive(socket));
  }

  override reuseSocket(socket: Duplex, request: http.ClientRequest): void {
    super.reuseSocket(works(socket), request);
  }
}

/** Opens https connections through the pool, TLS with the target included. */
export class SecureTunnelAgent extends https.Agent {
  readonly #source: TunnelSource;

  constructor(source: TunnelSource, keepAlive: boolean) {
    super({ keepAlive });
    this.#source = source;
  }

  override getName(options?: https.RequestOptions): string {
    return `${super.getName(options)}:${this.#source.name}`;
  }

  createSocket(request: http.ClientRequest, options: object, callback: Callback): void {
    nodesOwn(https.Agent).call(this, request, { ...options, [requestKey]: request }, callback);
  }

  override createConnection(options: object, callback?: unknown): undefined {
    connect(this.#source, options as Wanted, true, callback as Callback);
  }

  override keepSocketAlive(socket: Duplex): boolean {
    return rests(this.#source, socket) && keptBy(super.keepSocketAlive(socket));
  }

  override reuseSocket(socket: Duplex, request: http.ClientRequest): void {
    super.reuseSocket(works(socket), request);
  }
}

/** Node hands the request to a method that it does not document. Without it an abort is noticed later. */
function nodesOwn(from: typeof http.Agent): CreateSocket {
  return (from.prototype as unknown as { createSocket: CreateSocket }).createSocket;
}

/** Its types say that it returns nothing. */
function keptBy(kept: unknown): boolean {
  return kept !== false;
}

/** Whether a connection that has served may wait for the next request. */
function rests(source: TunnelSource, socket: Duplex): boolean {
  const tunnel = tunnels.get(socket);
  if (tunnel !== undefined) tunnel.idle = true;
  return !source.closed;
}

/** A connection that waited serves again. */
function works(socket: Duplex): Duplex {
  const tunnel = tunnels.get(socket);
  if (tunnel !== undefined) tunnel.idle = false;
  return socket;
}

function connect(source: TunnelSource, wanted: Wanted, secure: boolean, callback: Callback): void {
  const abort = new AbortController();
  const unwatch = onDestroy(wanted[requestKey], () => abort.abort(hungUp()));
  let given = false;
  const settle = (error: Error | null, socket?: Duplex) => {
    if (given) return;
    given = true;
    unwatch();
    callback(error, socket as Duplex);
  };
  const give = (tunnel: TunnelStream, socket: Duplex) => {
    tunnels.set(socket, tunnel);
    settle(null, socket);
  };
  const onOpen = (tunnel: TunnelStream) => {
    if (secure) tunnel.once('established', () => give(tunnel, tunnel.handOver()));
    else give(tunnel, tunnel);
  };
  Promise.resolve()
    .then(() => source.open(planFor(wanted, secure, abort.signal), onOpen))
    .catch((error: Error) => settle(error));
}

/**
 * Calls when a request is destroyed that has no connection yet: it emits nothing then, so its method is wrapped.
 * Returns the way to undo that.
 */
function onDestroy(request: http.ClientRequest | undefined, then: () => void): () => void {
  if (request === undefined) return () => {};
  const own = Object.getOwnPropertyDescriptor(request, 'destroy');
  const destroy = request.destroy.bind(request);
  request.destroy = (error) => {
    then();
    return destroy(error);
  };
  return () => {
    if (own === undefined) delete (request as Partial<http.ClientRequest>).destroy;
    else Object.defineProperty(request, 'destroy', own);
  };
}

/** What Node says of a request that is destroyed before its response. */
function hungUp(): Error {
  return Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
}

function planFor(wanted: Wanted, secure: boolean, signal: AbortSignal): TunnelPlan {
  const { host = 'localhost', port = secure ? 443 : 80, socketPath, servername } = wanted;
  if (socketPath !== undefined && socketPath !== null) {
    throw new InvalidRequestError('an agent of a rotator opens no socketPath');
  }
  const plan = planOf({ host, port: Number(port), secure });
  if (!secure) return { ...plan, signal };
  const tls: Record<string, unknown> = {};
  for (const name of [...contextNames, ...verifying]) {
    const value = (wanted as Record<string, unknown>)[name];
    if (value !== undefined && value !== null) tls[name] = value;
  }
  const { ALPNProtocols: alpn } = wanted;
  const to = {
    ...plan.to,
    servername: servername || undefined,
    alpn: Array.isArray(alpn) ? (alpn as string[]) : undefined,
    ...(Object.keys(tls).length === 0 ? {} : { tls: tls as ConnectionOptions }),
  };
  return { ...plan, to, signal };
}

/** Throws an `InvalidRequestError` for a bad `keepAlive`; gives it and the rest. */
export function splitAgentsOptions(options: AgentsOptions): {
  keepAlive: boolean;
  routing: RoutingOptions;
} {
  if (typeof options !== 'object' || options === null) {
    throw new InvalidRequestError(`options must be an object, got ${shown(options)}`);
  }
  const { keepAlive = true, ...routing } = options;
  if (typeof keepAlive !== 'boolean') {
    throw new InvalidRequestError(`keepAlive must be true or false, got ${shown(keepAlive)}`);
  }
  return { keepAlive, routing };
}
