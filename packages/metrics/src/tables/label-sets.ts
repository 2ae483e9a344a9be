import type {
  Blame,
  CircuitState,
  FailureReason,
  Outcome,
  Phase,
  RetryRefusalReason,
} from '@whirl/events';

// The vocabulary's closed sets as small numbers: the columns of the typed arrays. `satisfies Record`
// makes a word that the vocabulary gains or loses a type error here.

export const outcomeIndex = {
  success: 0,
  failure: 1,
  timeout: 2,
  aborted: 3,
  circuit_open: 4,
} as const satisfies Record<Outcome, number>;

export const blameIndex = {
  none: 0,
  proxy: 1,
  target: 2,
  caller: 3,
  route: 4,
  unknown: 5,
} as const satisfies Record<Blame, number>;

export const phaseIndex = {
  select: 0,
  dns: 1,
  tcp: 2,
  tls_proxy: 3,
  socks: 4,
  connect: 5,
  tls_target: 6,
  headers: 7,
  body: 8,
} as const satisfies Record<Phase, number>;

export const failureReasonIndex = {
  status: 0,
  timeout: 1,
  dns: 2,
  tcp: 3,
  tls_proxy: 4,
  socks: 5,
  connect: 6,
  tls_target: 7,
  reset: 8,
  body: 9,
  protocol: 10,
  proxy_auth: 11,
  banned: 12,
  aborted: 13,
} as const satisfies Record<FailureReason, number>;

export const refusalReasonIndex = {
  budget: 0,
  deadline: 1,
  attempts: 2,
  body: 3,
  method: 4,
  retry_after: 5,
  no_proxy: 6,
  target_down: 7,
} as const satisfies Record<RetryRefusalReason, number>;

export const circuitStateIndex = {
  closed: 0,
  open: 1,
  half_open: 2,
  forced_open: 3,
  disabled: 4,
} as const satisfies Record<CircuitState, number>;

/** The words of a set, in the order of their numbers. */
function words<Word extends string>(index: Record<Word, number>): readonly Word[] {
  return Object.keys(index) as Word[];
}

export const outcomes = words(outcomeIndex);
export const blames = words(blameIndex);
export const phases = words(phaseIndex);
export const failureReasons = words(failureReasonIndex);
export const refusalReasons = words(refusalReasonIndex);
export const circuitStates = words(circuitStateIndex);
