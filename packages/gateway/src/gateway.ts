import { randomBytes } from 'node:crypto';
import net from 'node:net';
import { check, checkOptions, number, withMethods } from '@whirl/check';
import type { ProxyRotator } from '@whirl/rotator';
import { CredentialList } from './access/credential-list.ts';
import { OwnAddresses } from './access/own-addresses.ts';
import { TargetRules } from './access/target-rules.ts';
import { WrongPasswords } from './access/wrong-passwords.ts';
import { Sessions } from './routing/sessions.ts';
import { ClientConnection } from './connection/client-connection.ts';
import { ClientCounts } from './access/client-counts.ts';
import type { GatewayContext } from './connection/gateway-context.ts';
import { Counters } from './counters.ts';
import { decideOptions, type DecidedOptions, type GatewayOptions } from './gateway-options.ts';
import type { Authority } from './head/authority.ts';
import { TunnelViews } from './tunnel/tunnel-views.ts';

/** What a gateway has done, and does. */
export interface GatewayStats {
  /** Connections of clients, open now. */
  readonly connections: number;
  /** Tunnels open now, those that are being opened included. */
  readonly openTunnels: number;
  /** Tunnels granted so far. */
  readonly tunnels: number;
  /** Requests in absolute form so far. */
  readonly requests: number;
  /** Clients refused before anything was dialled. */
  readonly refused: number;
  /** Tunnels that no proxy opened. */
  readonly failed: number;
  /** Failovers: proxies that failed a tunnel which another one then opened, unseen by the client. */
  readonly failovers: number;
  /** Those of them within the last hour. */
  readonly failoversLastHour: number;
  /** Tunnels that broke between the client's 200 and the target's first byte. */
  readonly lost: number;
  /** Bytes from clients through tunnels. */
  readonly bytesUp: number;
  /** Bytes to clients through tunnels. */
  readonly bytesDown: number;
}

const rotators = withMethods('a ProxyRotator', 'connect', 'with', 'proxyIds');
const closeKinds = { graceMs: number(0) };
const wrongPasswordWindowMs = 60_000;

/** A proxy server over the pool of a rotator. Make it with `createGateway()`. */
export class Gateway {
  readonly #rotator: ProxyRotator;
  readonly #options: DecidedOptions;
  readonly #context: GatewayContext;
  readonly #connections = new Set<ClientConnection>();
  readonly #loops = new Set<string>();
  readonly #own: OwnAddresses;
  readonly #server: net.Server;
  #undo: (() => void)[] = [];
  #address: Authority | undefined;
  #closing: Promise<void> | undefined;
  #idle: (() => void) | undefined;

  /** @internal */
  constructor(rotator: ProxyRotator, given: GatewayOptions) {
    check('rotator', rotator, rotators);
    const options = decideOptions(given);
    const now = () => performance.now();
    const own = () => this.#ownAddresses();
    this.#rotator = rotator;
    this.#options = options;
    this.#own = new OwnAddresses(own);
    this.#context = {
      rotator,
      views: new TunnelViews(rotator, options.retryPolicy, options.idleMs),
      options,
      credentials: new CredentialList(options.credentials),
      wrongPasswords: new WrongPasswords({
        limit: options.maxWrongPasswords,
        windowMs: wrongPasswordWindowMs,
        now,
      }),
      targets: new TargetRules({ ...options, own }),
      clients: new ClientCounts(options.maxPerClient),
      sessions: new Sessions({ idleMs: options.sessionIdleMs, now }),
      counters: new Counters(now),
      pseudonym: `whirl-${randomBytes(6).toString('hex')}`,
      loops: this.#loops,
      closing: false,
    };
    // Half-open: a client may say its last and still listen.
    this.#server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
      this.#accept(socket),
    );
    this.#server.maxConnections = options.maxConnections;
  }

  /** Where it listens. Throws an Error before `listen()` has resolved. */
  get address(): { readonly host: string; readonly port: number } {
    if (this.#address === undefined) throw new Error('the gateway does not listen');
    return this.#address;
  }

  /** Whether its clients need a name and a password. */
  get needsPassword(): boolean {
    return this.#options.credentials.length > 0;
  }

  /**
   * Starts to listen. Rejects when the address is taken, and with a RangeError when a proxy of the pool is
   * this gateway itself.
   */
  async listen(): Promise<{ readonly host: string; readonly port: number }> {
    if (this.#closing !== undefined) throw new Error('the gateway is closed');
    if (this.#address !== undefined) return this.#address;
    const { host, port } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port }, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    this.#address = { host, port: (this.#server.address() as net.AddressInfo).port };
    const { bus } = this.#rotator;
    this.#undo.push(
      bus.on('proxy:added', ({ proxyId }) => this.#look(proxyId)),
      bus.on('proxy:removed', ({ proxyId }) => this.#loops.delete(proxyId)),
    );
    for (const id of this.#rotator.proxyIds()) this.#look(id);
    const [loop] = this.#loops;
    if (loop === undefined) return this.#address;
    await this.close({ graceMs: 0 });
    throw new RangeError(`the proxy ${loop} of the pool is this gateway itself: remove it`);
  }

  /**
   * Stops accepting connections, lets tunnels, upgraded connections and requests end within `graceMs` (≥ 0, default
   * 5,000), then tears what is left. The rotator stays open.
   */
  async close(options: { readonly graceMs?: number | undefined } = {}): Promise<void> {
    checkOptions('', options, closeKinds);
    return (this.#closing ??= this.#close(options.graceMs ?? 5000));
  }

  stats(): GatewayStats {
    const { counters } = this.#context;
    let { bytesUp, bytesDown } = counters;
    let openTunnels = 0;
    for (const { tunnel } of this.#connections) {
      if (tunnel === undefined) continue;
      openTunnels++;
      bytesUp += tunnel.bytes.up;
      bytesDown += tunnel.bytes.down;
    }
    const { tunnels, requests, refused, failed, failovers, lost } = counters;
    const connections = this.#connections.size;
    return {
      connections,
      openTunnels,
      tunnels,
      requests,
      refused,
      failed,
      failovers,
      failoversLastHour: counters.failoversLastHour.sum,
      lost,
      bytesUp,
      bytesDown,
    };
  }

  #accept(socket: net.Socket): void {
    const connection = new ClientConnection(socket, this.#context, (ended) => {
      this.#connections.delete(ended);
      if (this.#connections.size === 0) this.#idle?.();
    });
    this.#connections.add(connection);
  }

  /** Notes a proxy of the pool that is this gateway. */
  #look(proxyId: string): void {
    const url = this.#rotator.proxy(proxyId)?.url;
    if (url === undefined) return;
    const { hostname, port, protocol } = new URL(url.replace(/^[a-z0-9]+:/, 'http:'));
    const standard = protocol === 'https:' ? 443 : 80;
    const host = hostname.replace(/^\[(.*)\]$/, '$1');
    if (this.#own.holds({ host, port: Number(port) || standard })) this.#loops.add(proxyId);
  }

  *#ownAddresses(): Generator<Authority, void, undefined> {
    if (this.#address !== undefined) yield this.#address;
    yield* this.#options.ownAddresses;
  }

  async #close(graceMs: number): Promise<void> {
    this.#context.closing = true;
    for (const undo of this.#undo.splice(0)) undo();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const connection of [...this.#connections]) if (!connection.busy) connection.retire();
    const none = this.#whenNone();
    if (graceMs > 0) {
      let timer: NodeJS.Timeout | undefined;
      const grace = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, Math.min(graceMs, 2 ** 31 - 1));
      });
      await Promise.race([none, grace]);
      clearTimeout(timer);
    }
    for (const connection of [...this.#connections]) connection.end();
    await Promise.all([closed, none]);
  }

  /** Resolves when no client is connected. */
  #whenNone(): Promise<void> {
    if (this.#connections.size === 0) return Promise.resolve();
    return new Promise((resolve) => (this.#idle = resolve));
  }
}

/**
 * A proxy server that speaks HTTP and SOCKS5 on one port, over the pool of a rotator. Throws a TypeError or
 * RangeError that names the option; see `GatewayOptions`.
 */
export function createGateway(rotator: ProxyRotator, options: GatewayOptions = {}): Gateway {
  return new Gateway(rotator, options);
}
