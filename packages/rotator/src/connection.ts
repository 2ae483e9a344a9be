import type net from 'node:net';
import { Client, type Dispatcher } from 'undici';
import { Dial, withoutBrackets, type ConnectorOptions } from './connector.ts';
import type { Proxy } from './proxy.ts';

/** Where the connections of a route lead. */
export interface RouteTo {
  readonly proxy: Proxy;
  readonly origin: URL;
  /** The whole URL is sent to the proxy; no tunnel. */
  readonly absoluteForm: boolean;
  /** False: every request has a connection of its own. */
  readonly keepAlive: boolean;
}

/** An idle connection is closed after this time, or sooner if the other side says so. */
const idleMs = 4000;

/** One undici client: one connection through one proxy, and one request at a time on it. */
export class Connection {
  readonly client: Client;
  /** While the way to the target is being made. */
  dial: Dial | undefined;
  /** A request has it. */
  leased = false;
  /** What the request that waits for the dial allows for it. */
  timeoutMs = 0;
  readonly #to: RouteTo;
  readonly #options: ConnectorOptions;
  #open = false;
  #ended = false;

  /** `onIdleEnd`: the connection was lost while no request had it. */
  constructor(to: RouteTo, options: ConnectorOptions, onIdleEnd: (ended: Connection) => void) {
    this.#to = to;
    this.#options = options;
    const { proxy, origin, absoluteForm, keepAlive } = to;
    this.client = new Client(absoluteForm ? `http://${proxy.host}:${proxy.port}` : origin.origin, {
      connect: ((
        { servername }: { servername?: string | null },
        callback: (error: Error | null, socket: net.Socket | null) => void,
      ) => this.#dial(servername, callback)) as never,
      // 0 is how undici spells "no keep-alive".
      pipelining: keepAlive ? 1 : 0,
      // The attempt has one deadline of its own, and it is exact.
      headersTimeout: 0,
      keepAliveTimeout: idleMs,
    });
    this.client.on('disconnect', () => {
      this.#open = false;
      if (!this.leased) onIdleEnd(this);
    });
  }

  /** Whether another request may follow on it. */
  get reusable(): boolean {
    return this.#open && !this.#ended && this.#to.keepAlive;
  }

  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void {
    this.client.dispatch(options, handler);
  }

  /** Ends it with whatever is on it, and the dial if there is one. Resolves when all is closed. */
  end(reason: Error): Promise<void> {
    this.#ended = true;
    this.dial?.cancel();
    this.dial = undefined;
    return this.client.destroy(reason).then(ignore, ignore);
  }

  #dial(
    servername: string | null | undefined,
    callback: (error: Error | null, socket: net.Socket | null) => void,
  ): void {
    const { proxy, origin, absoluteForm } = this.#to;
    const secure = origin.protocol === 'https:';
    const destination = absoluteForm
      ? undefined
      : {
          host: withoutBrackets(origin.hostname),
          port: Number(origin.port) || (secure ? 443 : 80),
          secure,
          servername: servername || undefined,
        };
    this.dial = new Dial(proxy, destination, this.#options, this.timeoutMs, (error, socket) => {
      this.dial = undefined;
      this.#open = error === null;
      callback(error, socket);
    });
  }
}

function ignore(): void {}
