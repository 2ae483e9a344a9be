import { createRetryBudget, type RetryBudget, type RetryBudgetOptions } from '@whirl/backoff';
import type { WhirlBus } from '@whirl/events';
import type { RetryMetrics } from '@whirl/metrics';
import type { Strategy } from '@whirl/selector';
import type { AccessOptions } from './access-rules.ts';
import type { BanRule } from './policy/ban-rules.ts';
import { checkCircuit, type CircuitOptions } from './pool/circuit-options.ts';
import type { TunnelMode } from './connection/connection-pool-options.ts';
import type { HealthCheckOptions } from './request/health-checks.ts';
import type { HedgeOptions } from './policy/hedging.ts';
import type { Logger } from './events/logging.ts';
import type { RetryPolicyOptions } from './policy/retry-policy.ts';
import type { PoolEntry } from './pool/pool-entry.ts';
import { checkProxyHeaders, type ProxyHeaders } from './proxy/proxy-headers.ts';
import { checkLimits, type EventSourceLimits, type WebSocketLimits } from './rotator-dispatcher.ts';
import {
  anything,
  array,
  boolean,
  check,
  checkOptions,
  func,
  integer,
  number,
  object,
  oneOf,
  or,
  withMethods,
  type Kind,
} from '@whirl/check';
import type { TlsOptions } from './connection/tls-client.ts';

/**
 * Every option of a rotator. Lists and plain objects are copied. An option that is unknown, of a wrong type or out of
 * its bounds is refused with a TypeError or RangeError that names it, and a proxy with an `InvalidProxyError`.
 */
export interface RotatorOptions {
  /** An array, or a string with one proxy a line. Default: none yet. */
  readonly proxies?: readonly PoolEntry[] | string | undefined;
  /**
   * The only proxies and targets that may be used; an empty array admits none. Default: all. A proxy that
   * may not be used is an `InvalidProxyError`, a request an `InvalidRequestError`.
   */
  readonly allow?: AccessOptions | undefined;
  /**
   * Proxies and targets that may not be used, whatever `allow` says. Rules about addresses hold for names that
   * this process resolves too: those of proxies, and those of targets behind socks4 and socks5. Default: none.
   */
  readonly deny?: AccessOptions | undefined;
  /** For every request without a policy of its own; `null` turns retries off. Default: the defaults of each field. */
  readonly retryPolicy?: RetryPolicyOptions | null | undefined;
  /** How a proxy is picked. Default `adaptive()`. */
  readonly strategy?: Strategy | undefined;
  /**
   * The circuits of all proxies; `false`: none. `addProxy` takes one for a single proxy. Default: the defaults of each
   * field.
   */
  readonly circuitBreaker?: CircuitOptions | false | undefined;
  /**
   * Bounds retries and hedges to a share of the successes, so that they never multiply an outage:
   * see `createRetryBudget`. It protects targets: a failover from a proxy or a route that is to blame
   * is free.
   * `false`: no bound. Default: one retry in five successes, and 10 a second besides.
   */
  readonly budget?: RetryBudget | RetryBudgetOptions | false | undefined;
  /** When a slow idempotent request is sent once more, through another proxy. Default: never. */
  readonly hedge?: HedgeOptions | undefined;
  /** Rules that recognise responses which are blocks in disguise; the first with a verdict decides. Default: none. */
  readonly banRules?: readonly BanRule[] | undefined;
  /**
   * Whether a 4xx in absolute form that other proxies do not get from the same target counts against
   * this way to it, as a proxy's own page does: the caller gets the response, and the proxy is avoided
   * for that target. Default true.
   */
  readonly contrast?: boolean | undefined;
  /**
   * Whether requests to a target that does not respond through any proxy get one attempt each until it
   * responds again. Default true.
   */
  readonly targetDown?: boolean | undefined;
  /** Tests open circuits that traffic does not reach. Default: off. */
  readonly healthCheck?: HealthCheckOptions | undefined;
  /**
   * Milliseconds to wait for a place when every proxy is at its `maxConcurrent`. ≥ 0, default 0:
   * such a request fails at once with `PROXIES_BUSY`.
   */
  readonly queueTimeoutMs?: number | undefined;
  /** The bus for its events; several rotators may share one. Default: one of its own, at `rotator.bus`. */
  readonly bus?: WhirlBus | undefined;
  /**
   * Several rotators may share one; `false`: none. It is subscribed to the rotator's bus until the rotator ends; a bus
   * that it is subscribed to already is not counted twice. Default: one of its own, see `getRetryMetrics()`.
   */
  readonly metrics?: RetryMetrics | false | undefined;
  /** Connections per proxy and origin. An integer ≥ 1, default 64. */
  readonly connections?: number | undefined;
  /**
   * Proxies with live connections at most; the least recently used are closed. An integer ≥ 1,
   * default 1,000.
   */
  readonly maxLiveProxies?: number | undefined;
  /**
   * A response head, or that of a response to CONNECT, of more bytes is refused. An integer ≥ 1,024,
   * default 65,536.
   */
  readonly maxHeaderSize?: number | undefined;
  /**
   * `auto`: http targets are asked for in absolute form, https targets through CONNECT. `always`:
   * CONNECT for both. Default `auto`.
   */
  readonly tunnel?: TunnelMode | undefined;
  /**
   * `false`: each request dials, for gateways that give a new exit address per connection.
   * Default true.
   */
  readonly keepAlive?: boolean | undefined;
  /** TLS with targets. Default: Node's own authorities, and certificates are verified. */
  readonly tls?: TlsOptions | undefined;
  /** TLS with https proxies. Default: Node's own authorities, and certificates are verified. */
  readonly proxyTls?: TlsOptions | undefined;
  /**
   * Headers for every http and https proxy, on CONNECT and in absolute form; a proxy's own of the same name
   * go before. A `Proxy-Authorization` is sent instead of Basic credentials. No target gets them through a tunnel.
   * Default: none.
   */
  readonly proxyHeaders?: ProxyHeaders | undefined;
  /** Limits of undici's `WebSocket` over `rotator.dispatcher`. Default: undici's own. */
  readonly webSocket?: WebSocketLimits | undefined;
  /** A limit of undici's `EventSource` over `rotator.dispatcher`. Default: undici's own. */
  readonly eventSource?: EventSourceLimits | undefined;
  /** Gets attempts at debug, circuits at info and warn, failed requests at warn. Default: none. */
  readonly logger?: Logger | undefined;
  /** Epoch milliseconds, never stepping back. Default: the monotonic system clock. */
  readonly now?: (() => number) | undefined;
  /** A number ≥ 0 and < 1. Default `Math.random`. */
  readonly random?: (() => number) | undefined;
}

/** What each must be; what is checked where it is used stands as `anything`. */
const kinds: Readonly<Record<keyof RotatorOptions, Kind>> = {
  proxies: anything,
  allow: anything,
  deny: anything,
  retryPolicy: anything,
  strategy: { ...object, wanted: 'a strategy' },
  circuitBreaker: anything,
  budget: or(false, { ...object, wanted: 'a RetryBudget, its options' }),
  hedge: anything,
  banRules: { ...array, wanted: 'an array of rules' },
  contrast: boolean,
  targetDown: boolean,
  healthCheck: anything,
  queueTimeoutMs: number(0),
  bus: withMethods('a bus', 'on', 'once', 'emit', 'has'),
  metrics: or(false, withMethods('a RetryMetrics', 'listen', 'getSummary')),
  connections: integer(1),
  maxLiveProxies: integer(1),
  maxHeaderSize: integer(1024),
  tunnel: oneOf('auto', 'always'),
  keepAlive: boolean,
  tls: anything,
  proxyTls: anything,
  proxyHeaders: anything,
  webSocket: anything,
  eventSource: anything,
  logger: withMethods('a logger', 'debug', 'info', 'warn', 'error'),
  now: func,
  random: func,
};

/**
 * Refuses unknown names and values out of their bounds with a TypeError or RangeError that names
 * option, bound and value. What has a constructor of its own is checked there.
 */
export function checkRotatorOptions(options: RotatorOptions): void {
  checkOptions('', options, kinds);
  checkCircuit(options.circuitBreaker);
  checkProxyHeaders('proxyHeaders', options.proxyHeaders, (message) => {
    throw new TypeError(message);
  });
  checkLimits('webSocket', options.webSocket);
  checkLimits('eventSource', options.eventSource);
}

const budgetKinds: Readonly<Record<keyof RetryBudgetOptions, Kind>> = {
  ratio: number(0),
  minPerSecond: number(0),
  ttlMs: number(1),
  capacity: number(1),
  now: func,
};

/** The budget that an option asks for. */
export function budgetOf(
  option: RotatorOptions['budget'],
  now: () => number,
): RetryBudget | undefined {
  if (option === false) return undefined;
  if (option === undefined) return createRetryBudget({ now });
  if ('tryWithdraw' in option) {
    check('budget', option, withMethods('a RetryBudget', 'tryWithdraw', 'deposit'));
    return option;
  }
  checkOptions('budget', option, budgetKinds);
  return createRetryBudget({ now, ...option });
}
