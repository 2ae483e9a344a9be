import type { RetryBudget } from '@whirl/backoff';
import type { WhirlBus } from '@whirl/events';
import type { AccessRules } from '../access-rules.ts';
import type { BanRule } from '../policy/ban-rules.ts';
import type { Judge } from '../blame/judge.ts';
import type { LoopLag } from '../blame/loop-lag.ts';
import type { Deadlines } from './deadlines.ts';
import type { ConnectionPool } from '../connection/connection-pool.ts';
import type { ConnectorOptions } from '../connection/destination.ts';
import type { Hedging } from '../policy/hedging.ts';
import type { InFlight } from './in-flight.ts';
import type { Policies } from '../policy/policies.ts';
import type { Pool } from '../pool/pool.ts';
import type { UnreadBodies } from './unread-bodies.ts';

/** What an operation needs of its rotator. */
export interface Engine {
  readonly bus: WhirlBus;
  readonly pool: Pool;
  readonly connectionPool: ConnectionPool;
  /** How a tunnel is dialled. */
  readonly connector: ConnectorOptions;
  readonly judge: Judge;
  readonly lag: LoopLag;
  readonly deadlines: Deadlines;
  readonly inFlight: InFlight;
  readonly budget: RetryBudget | undefined;
  readonly hedging: Hedging | undefined;
  /** Undefined: every target is allowed. */
  readonly targets: AccessRules | undefined;
  readonly banRules: readonly BanRule[];
  readonly queueTimeoutMs: number;
  /** Epoch ms that never step back: for durations. */
  readonly now: () => number;
  /** The instant of the monotonic clock, for one that `now` has just shown: one reading serves both. */
  readonly monotonicAt: (at: number) => number;
  /** What a wall clock shows: for HTTP-dates. */
  readonly wallNow: () => number;
  readonly random: () => number;
  readonly policies: Policies;
  readonly unread: UnreadBodies;
  nextRequestId(): string;
}
