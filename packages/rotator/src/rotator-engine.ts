import { adaptive } from '@whirl/selector';
import { accessRules } from './access-rules.ts';
import { Judge } from './blame/judge.ts';
import { LoopLag } from './blame/loop-lag.ts';
import { ConnectionPool } from './connection/connection-pool.ts';
import { TlsClient } from './connection/tls-client.ts';
import { checkBanRules } from './policy/ban-rules.ts';
import { Hedging } from './policy/hedging.ts';
import { Policies } from './policy/policies.ts';
import { Pool } from './pool/pool.ts';
import { Deadlines } from './request/deadlines.ts';
import type { Engine } from './request/engine.ts';
import { InFlight } from './request/in-flight.ts';
import { UnreadBodies } from './request/unread-bodies.ts';
import { budgetOf, type RotatorOptions } from './rotator-options.ts';

/**
 * Makes what requests and tunnels need of their rotator, with an empty pool. Throws the errors of bad options;
 * nothing listens to the bus then.
 */
export function createEngine(
  options: RotatorOptions,
  { bus, now, monotonicAt, random }: Pick<Engine, 'bus' | 'now' | 'monotonicAt' | 'random'>,
): Engine {
  const { connections = 64, maxLiveProxies = 1000, tunnel, keepAlive, logger } = options;
  const { maxHeaderSize = 65_536, retryPolicy = {}, contrast = true, targetDown = true } = options;
  const wallNow = Date.now;
  const access = accessRules(options.allow, options.deny);
  const budget = budgetOf(options.budget, now);
  const hedging = options.hedge === undefined ? undefined : new Hedging(options.hedge);
  const banRules = checkBanRules(options.banRules ?? []);
  const policies = new Policies(retryPolicy, logger);
  const connector = {
    access,
    maxHeaderSize,
    tls: new TlsClient('tls', options.tls),
    proxyTls: new TlsClient('proxyTls', options.proxyTls),
    now,
    wallNow,
    proxyHeaders: options.proxyHeaders && { ...options.proxyHeaders },
  };
  const connectionPool = new ConnectionPool({
    ...connector,
    connections,
    maxLiveProxies,
    tunnel,
    keepAlive,
    onOpen: ({ proxy, origin, absoluteForm }, dial) => {
      if (!bus.has('connection:open')) return;
      const to = absoluteForm ? undefined : origin.origin;
      bus.emit('connection:open', { proxyId: proxy.id, origin: to, ...dial.times, at: now() });
    },
  });
  const judge = new Judge({ bus, contrast, targetDown, poolSize: () => pool.size });
  const pool: Pool = new Pool({
    access: access.proxies,
    bus,
    strategy: options.strategy ?? adaptive(),
    circuitBreaker: options.circuitBreaker ?? {},
    now,
    random,
    onGone: (proxyId) => connectionPool.remove(proxyId),
    onLeft: (member) => judge.forget(member),
  });
  let requests = 0;
  return {
    bus,
    pool,
    connectionPool,
    connector,
    judge,
    lag: new LoopLag(),
    deadlines: new Deadlines(),
    inFlight: new InFlight(),
    budget,
    hedging,
    banRules,
    targets: access.targets,
    queueTimeoutMs: options.queueTimeoutMs ?? 0,
    now,
    monotonicAt,
    wallNow,
    random,
    policies,
    unread: new UnreadBodies(logger),
    nextRequestId: () => `r${++requests}`,
  };
}
