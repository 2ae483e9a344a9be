import type net from 'node:net';
import { Client, type Dispatcher } from 'undici';
import { dial, type ConnectorOptions, type Dial } from './connector.ts';
import type { Proxy } from './proxy.ts';

/** One undici client: at most one connection through one proxy. */
export interface Slot {
  readonly client: Client;
  readonly absoluteForm: boolean;
  dialing: Dial | undefined;
  requests: number;
  key: string;
}

export interface ClientsOptions extends ConnectorOptions {
  /** Connections per proxy and origin at most. */
  readonly connections: number;
  /** Proxies with live connections at most. */
  readonly maxLiveProxies: number;
}

/** The connections of all proxies, made on first use, under an LRU cap. */
export class Clients {
  /** By proxy id, in order of last use; then by origin, or `absolute` for the absolute form. */
  readonly #byProxy = new Map<string, Map<string, Slot[]>>();
  readonly #options: ClientsOptions;

  constructor(options: ClientsOptions) {
    this.#options = options;
  }

  get liveProxies(): number {
    return this.#byProxy.size;
  }

  /** A free connection if there is one, a new one if there is room, else the least loaded. */
  take(proxy: Proxy, origin: URL): Slot {
    const absoluteForm = origin.protocol === 'http:' && proxy.protocol.startsWith('http');
    const key = absoluteForm ? 'absolute' : origin.origin;
    let byOrigin = this.#byProxy.get(proxy.id);
    if (byOrigin === undefined) byOrigin = new Map<string, Slot[]>();
    else this.#byProxy.delete(proxy.id);
    this.#byProxy.set(proxy.id, byOrigin);
    if (this.#byProxy.size > this.#options.maxLiveProxies) this.#evict();
    let slots = byOrigin.get(key);
    if (slots === undefined) byOrigin.set(key, (slots = []));
    let best: Slot | undefined;
    for (const slot of slots) {
      if (best === undefined || slot.requests < best.requests) best = slot;
      if (best.requests === 0) break;
    }
    if (best === undefined || (best.requests > 0 && slots.length < this.#options.connections)) {
      best = this.#open(proxy, origin, absoluteForm, key);
      slots.push(best);
    }
    best.requests++;
    return best;
  }

  release(slot: Slot): void {
    slot.requests--;
  }

  /** Ends a connection whose state is not worth keeping, with whatever is on it. */
  discard(proxyId: string, slot: Slot, reason: Error): void {
    slot.dialing?.cancel();
    this.#forget(proxyId, slot);
    void slot.client.destroy(reason).catch(() => {});
  }

  remove(proxyId: string): void {
    const byOrigin = this.#byProxy.get(proxyId);
    this.#byProxy.delete(proxyId);
    for (const slots of byOrigin?.values() ?? []) {
      for (const slot of slots) void slot.client.close().catch(() => {});
    }
  }

  async destroy(reason: Error): Promise<void> {
    const ends: Promise<unknown>[] = [];
    for (const byOrigin of this.#byProxy.values()) {
      for (const slots of byOrigin.values()) {
        for (const slot of slots) {
          slot.dialing?.cancel();
          ends.push(slot.client.destroy(reason).catch(() => {}));
        }
      }
    }
    this.#byProxy.clear();
    await Promise.all(ends);
  }

  #open(proxy: Proxy, origin: URL, absoluteForm: boolean, key: string): Slot {
    const target = absoluteForm
      ? undefined
      : {
          host: origin.hostname,
          port: Number(origin.port) || (origin.protocol === 'https:' ? 443 : 80),
          secure: origin.protocol === 'https:',
        };
    const connect = (
      _: unknown,
      callback: (error: Error | null, socket: net.Socket | null) => void,
    ) => {
      slot.dialing = dial(proxy, target, this.#options, (error, socket) => {
        slot.dialing = undefined;
        callback(error, socket);
      });
    };
    const client = new Client(absoluteForm ? `http://${proxy.host}:${proxy.port}` : origin.origin, {
      connect: connect as never,
      pipelining: 1,
      headersTimeout: 0,
      keepAliveTimeout: 4000,
    });
    const slot: Slot = { client, absoluteForm, dialing: undefined, requests: 0, key };
    client.on('disconnect', () => {
      if (slot.requests === 0) this.#forget(proxy.id, slot);
    });
    client.on('connectionError', () => {
      this.#forget(proxy.id, slot);
      void client.destroy().catch(() => {});
    });
    return slot;
  }

  #forget(proxyId: string, slot: Slot): void {
    const byOrigin = this.#byProxy.get(proxyId);
    const slots = byOrigin?.get(slot.key);
    const i = slots?.indexOf(slot) ?? -1;
    if (byOrigin === undefined || slots === undefined || i === -1) return;
    slots.splice(i, 1);
    if (slots.length === 0) byOrigin.delete(slot.key);
    if (byOrigin.size === 0) this.#byProxy.delete(proxyId);
  }

  #evict(): void {
    for (const [proxyId, byOrigin] of this.#byProxy) {
      if ([...byOrigin.values()].some((slots) => slots.some((slot) => slot.requests > 0))) continue;
      if (this.#byProxy.size <= this.#options.maxLiveProxies) return;
      this.remove(proxyId);
      return;
    }
  }
}

export type DispatchHandler = Dispatcher.DispatchHandler;
