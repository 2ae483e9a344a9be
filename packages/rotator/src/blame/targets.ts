import type { Blame, Outcome } from '@whirl/events';
import { evidenceMs, OriginEvidence } from './pair-evidence.ts';
import { Outage } from './outage.ts';

const maxTargets = 1000;
/** Recently used ones that are passed over when one has to go. */
const maxSteps = 8;
/** Failures in a row without a response from which the state is `unsure`. */
const failuresToBeUnsure = 3;

/** Failures by what was to blame. */
export type FailuresByBlame = Record<Exclude<Blame, 'none'>, number>;

/** `unsure`: there was no response yet, or three failures or more in a row since the last one. */
export type TargetState = 'up' | 'unsure' | 'down';

/** An origin that was asked for, as `rotator.targets()` shows it. */
export interface TargetSnapshot {
  readonly origin: string;
  readonly state: TargetState;
  /** What is known, in a sentence. */
  readonly reason: string;
  /** Epoch milliseconds: when the state began. */
  readonly since: number;
  /** Epoch milliseconds; undefined before the first response. */
  readonly lastResponseAt: number | undefined;
  /** Attempts that have ended. */
  readonly attempts: number;
  /** Successful attempts ÷ attempts, 0 to 1; undefined without any. */
  readonly successRate: number | undefined;
  readonly failures: Readonly<FailuresByBlame>;
}

/** What is known of one origin. */
export class Target {
  readonly origin: string;
  readonly evidence = new OriginEvidence();
  /** The same for the kind of response: whether it is better than 4xx. */
  readonly kinds = new OriginEvidence();
  readonly outage = new Outage();
  readonly failures: FailuresByBlame = { proxy: 0, route: 0, target: 0, unknown: 0, caller: 0 };
  usedAt: number;
  readonly #firstAt: number;
  /** When it last began to respond. */
  #upAt: number;
  #attempts = 0;
  #successes = 0;
  /** Mean time to the headers of its responses, fading; 0 before the first. */
  #usualMs = 0;

  constructor(origin: string, at: number) {
    this.origin = origin;
    this.usedAt = this.#firstAt = this.#upAt = at;
  }

  /** Whether an attempt of that length was shorter than its responses usually take. */
  usuallySlowerThan(durationMs: number): boolean {
    return this.#usualMs > durationMs;
  }

  /** A response came. Returns for how long it was down; undefined if it was not. */
  responded(at: number, latencyMs: number): number | undefined {
    const { evidence, outage } = this;
    if (evidence.okAt === -Infinity || outage.run >= failuresToBeUnsure) this.#upAt = at;
    if (latencyMs > 0) {
      const usualMs = this.#usualMs || latencyMs;
      this.#usualMs = usualMs + (latencyMs - usualMs) / 8;
    }
    return outage.responded(at);
  }

  /** An attempt has ended. */
  count(outcome: Outcome, blame: Blame): void {
    this.#attempts++;
    if (outcome === 'success') this.#successes++;
    else if (blame !== 'none') this.failures[blame]++;
  }

  /** Since when there has been no response: since the last one, or since it was first asked for. */
  get silentSince(): number {
    return Math.max(this.evidence.okAt, this.#firstAt);
  }

  get state(): TargetState {
    const { run, downAt } = this.outage;
    if (downAt !== undefined) return 'down';
    return run >= failuresToBeUnsure || this.evidence.okAt === -Infinity ? 'unsure' : 'up';
  }

  snapshot(at: number): TargetSnapshot {
    const { origin, state, outage, evidence, failures } = this;
    const { runAt, downAt } = outage;
    const heard = evidence.okAt > -Infinity;
    return {
      origin,
      state,
      reason: this.#reason(state, at),
      since: downAt ?? (state === 'up' ? this.#upAt : heard ? (runAt ?? at) : this.#firstAt),
      lastResponseAt: heard ? evidence.okAt : undefined,
      attempts: this.#attempts,
      successRate: this.#attempts === 0 ? undefined : this.#successes / this.#attempts,
      failures: { ...failures },
    };
  }

  #reason(state: TargetState, at: number): string {
    const { run, proxies } = this.outage;
    if (state === 'up') return 'up: it responds';
    const heard = this.evidence.okAt > -Infinity;
    const seconds = Math.round((at - this.silentSince) / 1000);
    if (state === 'down') {
      const through = proxies > 1 ? 'through several proxies' : 'through one proxy';
      return `down: ${run} attempts in a row ${through} had no response; the last one ${
        heard ? `was ${seconds} s ago` : 'has yet to come'
      }`;
    }
    if (!heard) return 'unsure: no proxy has had a response from here';
    return `unsure: ${run} attempts in a row had no response; the last one was ${seconds} s ago`;
  }
}

/** The origins that were asked for, at most 1,000: those not used lately go first. */
export class Targets {
  readonly #byOrigin = new Map<string, Target>();
  /** The one that was asked for last, which is often the next one too: no string is hashed for it. */
  #last: Target | undefined;

  get size(): number {
    return this.#byOrigin.size;
  }

  /** The origin's entry, made now if there is none. */
  get(origin: string, at: number): Target {
    const known = this.#last?.origin === origin ? this.#last : this.#byOrigin.get(origin);
    if (known !== undefined) {
      known.usedAt = at;
      this.#last = known;
      return known;
    }
    if (this.#byOrigin.size >= maxTargets) this.#makeRoom(at);
    const target = new Target(origin, at);
    this.#byOrigin.set(origin, target);
    this.#last = target;
    return target;
  }

  /** All of them, those used last first. */
  list(): Target[] {
    return [...this.#byOrigin.values()].sort((one, other) => other.usedAt - one.usedAt);
  }

  #makeRoom(at: number): void {
    let steps = 0;
    for (const [origin, target] of this.#byOrigin) {
      this.#byOrigin.delete(origin);
      if (steps++ < maxSteps && at - target.usedAt < evidenceMs) {
        this.#byOrigin.set(origin, target);
        continue;
      }
      target.evidence.gone = target.kinds.gone = true;
      return;
    }
  }
}
