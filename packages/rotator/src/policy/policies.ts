import type { Logger } from '../events/logging.ts';
import {
  backoffOf,
  noRetries,
  resolvePolicy,
  type RetryPolicy,
  type RetryPolicyOptions,
} from './retry-policy.ts';

/** The policy for requests without one of their own, and how the policies of requests are understood. */
export class Policies {
  readonly #warnings: PolicyWarnings;
  #current: RetryPolicy;

  /** Throws `InvalidPolicyError`. */
  constructor(given: RetryPolicyOptions | null, logger: Logger | undefined) {
    this.#warnings = new PolicyWarnings(logger);
    this.#current = this.resolve(given);
  }

  /** The present global policy. */
  get current(): RetryPolicy {
    return this.#current;
  }

  /** Sets it. Throws `InvalidPolicyError`. */
  change(given: RetryPolicyOptions | null): void {
    this.#current = this.resolve(given);
  }

  /** Fills in the defaults; null stands for one attempt. Throws `InvalidPolicyError`. */
  resolve(given: RetryPolicyOptions | null = {}): RetryPolicy {
    if (given === null) return noRetries;
    const policy = resolvePolicy(given);
    this.#warnings.check(policy);
    return policy;
  }
}

/** Warnings that were logged: a policy for each request must not fill the log. */
const maxWarned = 100;

/** Warns once about a policy whose delays alone take longer than its deadline. */
class PolicyWarnings {
  readonly #logger: Logger | undefined;
  readonly #warned = new Set<string>();

  constructor(logger: Logger | undefined) {
    this.#logger = logger;
  }

  check(policy: RetryPolicy): void {
    const { timeoutMs, maxAttempts, name } = policy;
    if (this.#logger === undefined || timeoutMs === undefined) return;
    const backoff = backoffOf({ ...policy, jitter: false }, () => 0);
    let delaysMs = 0;
    for (let retry = 0; retry < maxAttempts - 1; retry++) delaysMs += backoff.delay(retry);
    const key = `${name ?? ''} ${timeoutMs} ${delaysMs}`;
    if (timeoutMs >= delaysMs || this.#warned.has(key) || this.#warned.size >= maxWarned) return;
    this.#warned.add(key);
    try {
      this.#logger.warn(
        { policy: name, timeoutMs, delaysMs },
        'the retry policy ends before its delays do: timeoutMs is smaller than their sum',
      );
    } catch (error) {
      // As the bus does with its listeners': the error is written to the console, and no request fails.
      // oxlint-disable-next-line no-console -- an error that no caller sees must not be lost
      console.error(error);
    }
  }
}
