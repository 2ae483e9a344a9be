import type { Outcome, Phase, WhirlBus } from '@whirl/events';
import type { Ending } from './visits/visit.ts';

/** Visits of one kind, as their clients counted them. `issued` includes those that have not ended. */
export type ClientCounts = Record<'issued' | Ending, number>;
/** Requests by outcome. */
export type OutcomeCounts = Record<Outcome, number>;

/** What the events of one process told, in numbers that cross processes. */
export interface EventCounts {
  readonly requestsBegun: number;
  readonly requestsEnded: OutcomeCounts;
  /** By the name of their policy. */
  readonly byPolicy: Readonly<Record<string, OutcomeCounts>>;
  readonly attemptsBegun: number;
  readonly attemptsEnded: OutcomeCounts;
  /** Attempts that their requests said to have had. */
  readonly attemptsOfRequests: number;
  readonly attemptsByProxy: Readonly<Record<string, number>>;
  /** Where requests were when their callers left them. */
  readonly abortedIn: Readonly<Partial<Record<Phase, number>>>;
  /** Of the gateway's tunnels: those opened, never opened, and left before they were. */
  readonly gateway: {
    opened: number;
    closed: number;
    failed: number;
    left: number;
    bytesUp: number;
    bytesDown: number;
  };
  readonly hedges: number;
  readonly connections: number;
  readonly circuitsOpened: number;
  readonly bans: number;
  readonly renewals: number;
  readonly healthChecks: number;
  readonly fleet: { degraded: number; recovered: number };
}

export function noOutcomes(): OutcomeCounts {
  return { success: 0, failure: 0, timeout: 0, aborted: 0, circuit_open: 0 };
}

export function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, each) => sum + each, 0);
}

/** The name of the policy that the gateway's tunnels have. */
export const gatewayPolicy = 'gateway';

/** Counts what a bus tells, beside the metrics and without them. */
export function listen(bus: WhirlBus) {
  const byPolicy: Record<string, OutcomeCounts> = {};
  const attemptsByProxy: Record<string, number> = {};
  const abortedIn: Partial<Record<Phase, number>> = {};
  const requestsEnded = noOutcomes();
  const attemptsEnded = noOutcomes();
  const gateway = { opened: 0, closed: 0, failed: 0, left: 0, bytesUp: 0, bytesDown: 0 };
  const fleet = { degraded: 0, recovered: 0 };
  const totals = {
    requestsBegun: 0,
    attemptsBegun: 0,
    attemptsOfRequests: 0,
    hedges: 0,
    connections: 0,
    circuitsOpened: 0,
    bans: 0,
    renewals: 0,
    healthChecks: 0,
  };
  /** Tunnels that are open, and whether they are the gateway's: known from the verdict on. */
  const open = new Map<string, boolean>();
  bus.on('request:start', () => totals.requestsBegun++);
  bus.on('request:end', ({ requestId, outcome, attemptCount, policyName = 'none' }) => {
    requestsEnded[outcome]++;
    (byPolicy[policyName] ??= noOutcomes())[outcome]++;
    totals.attemptsOfRequests += attemptCount;
    if (policyName !== gatewayPolicy) return;
    if (open.has(requestId)) {
      open.set(requestId, true);
      gateway.opened++;
    } else if (outcome === 'aborted') gateway.left++;
    else gateway.failed++;
  });
  bus.on('attempt:start', ({ hedge }) => {
    totals.attemptsBegun++;
    if (hedge) totals.hedges++;
  });
  bus.on('attempt:end', ({ proxyId, outcome, phase }) => {
    attemptsEnded[outcome]++;
    attemptsByProxy[proxyId] = (attemptsByProxy[proxyId] ?? 0) + 1;
    if (outcome === 'aborted') abortedIn[phase] = (abortedIn[phase] ?? 0) + 1;
  });
  bus.on('tunnel:open', ({ requestId }) => open.set(requestId, false));
  bus.on('tunnel:end', ({ requestId, bytesUp, bytesDown }) => {
    if (open.get(requestId) === true) {
      gateway.closed++;
      gateway.bytesUp += bytesUp;
      gateway.bytesDown += bytesDown;
    }
    open.delete(requestId);
  });
  bus.on('connection:open', () => totals.connections++);
  bus.on('circuit:transition', ({ to }) => {
    if (to === 'open') totals.circuitsOpened++;
  });
  bus.on('proxy:banned', () => totals.bans++);
  bus.on('proxy:renewed', () => totals.renewals++);
  bus.on('health:checked', () => totals.healthChecks++);
  bus.on('fleet:degraded', () => fleet.degraded++);
  bus.on('fleet:recovered', () => fleet.recovered++);
  return (): EventCounts => ({
    ...totals,
    requestsEnded,
    byPolicy,
    attemptsEnded,
    attemptsByProxy,
    abortedIn,
    gateway,
    fleet,
  });
}
