import type { WhirlBus } from '@whirl/events';
import { Evidence } from './evidence.ts';
import { evidenceMs, type ProxyEvidence } from './pair-evidence.ts';
import type { Failure } from './failure.ts';
import { Targets, type Target } from './targets.ts';

export interface JudgeOptions {
  readonly bus: WhirlBus;
  /** Whether requests to a target that is down get one attempt each. */
  readonly targetDown: boolean;
  /** Whether a 4xx in absolute form is compared with what other proxies get. */
  readonly contrast: boolean;
  readonly poolSize: () => number;
}

/** A proxy, as far as it can be to blame. */
export interface Suspect {
  readonly id: string;
  /** What speaks for and against it. */
  readonly evidence: ProxyEvidence;
  /** The same of the kinds of its responses. */
  readonly kinds: ProxyEvidence;
}

/** What the judge needs of a response that is no failure. */
export interface GoodResponse {
  readonly statusCode: number;
  readonly latencyMs: number;
  readonly tunnel: boolean;
  /** Whether a ban rule accepted it. */
  readonly ruled: boolean;
}

/**
 * Keeps the evidence of a rotator, and says what is to blame for each failure. Certain failures are
 * evidence too. It tells when a target stops responding and when it responds again.
 */
export class Judge {
  readonly targets = new Targets();
  readonly #options: JudgeOptions;
  readonly #evidence = new Evidence();
  /** Of the kind of response: better than 4xx, or not. */
  readonly #kinds = new Evidence();
  /** Epoch milliseconds of the last response through any proxy. */
  #okAt = -Infinity;

  constructor(options: JudgeOptions) {
    this.#options = options;
  }

  /** Whether a retry would only burden a target that is down. */
  brakes(target: Target): boolean {
    return this.#options.targetDown && target.outage.downAt !== undefined;
  }

  /** A good response. `route` when other proxies get better ones from there, and this is the proxy's own or a ban. */
  respondedWell(
    member: Suspect,
    target: Target,
    at: number,
    response: GoodResponse,
  ): 'none' | 'route' {
    const { statusCode, tunnel, ruled, latencyMs } = response;
    if (!tunnel && !ruled && this.#options.contrast) {
      if (statusCode < 400) this.#kinds.responded(member.kinds, target.kinds, at);
      else if (statusCode < 500) {
        const verdict = this.#kinds.failed(member.kinds, target.kinds, at);
        if (verdict === 'proxy' || verdict === 'route') return 'route';
      }
    }
    this.#responded(member, target, at, latencyMs);
    return 'none';
  }

  /**
   * Fills in what the evidence says of a failure, and keeps it as evidence. `responded`: the target has
   * said something, so that the way to it works.
   */
  judged(
    failure: Failure,
    member: Suspect,
    target: Target,
    at: number,
    responded = false,
    latencyMs = 0,
  ): Failure {
    if (responded) this.#responded(member, target, at, latencyMs);
    const { phase, reason, doubt } = failure;
    let { blame } = failure;
    if (doubt === undefined) {
      if (blame === 'proxy' && reason !== 'proxy_auth' && reason !== 'banned') {
        this.#evidence.proxyFailed(member.evidence, at);
      }
    } else if (doubt === 'network') {
      blame = this.#unreachable(member.evidence, at) ? 'proxy' : 'caller';
    } else {
      blame =
        doubt === 'refused'
          ? this.#evidence.refused(member.evidence, target.evidence, at)
          : this.#evidence.failed(member.evidence, target.evidence, at);
    }
    const silent = !responded && phase !== 'body' && reason !== 'banned';
    if (silent && (blame === 'target' || blame === 'unknown')) this.#noResponse(member, target, at);
    return { ...failure, blame, contested: this.#contested(failure, member, target, at) };
  }

  /**
   * A failure that the evidence left undecided is settled by a response to the same request through
   * another proxy. Once in 60 s for each proxy: a target that comes back while many requests are out
   * would else convict them all. Undefined: it stays undecided.
   */
  settled(member: Suspect, target: Target, at: number): 'proxy' | 'route' | undefined {
    const { evidence } = member;
    if (at - evidence.settledAt <= evidenceMs) return undefined;
    evidence.settledAt = at;
    return this.#evidence.worksElsewhere(evidence, target.evidence, at) ? 'route' : 'proxy';
  }

  /** The member has left the pool: nothing is remembered of it. */
  forget(member: Suspect): void {
    this.#evidence.forgetProxy(member.evidence);
    this.#kinds.forgetProxy(member.kinds);
  }

  /**
   * Whether the target may be well all the same: attempts that are still out may show it, or it responds to
   * most attempts and just did to another proxy's. Proxies that all fail alike look like a target that does.
   */
  #contested({ doubt }: Failure, member: Suspect, target: Target, at: number): boolean {
    const { outage, evidence } = target;
    if (outage.contested) return true;
    if (doubt === undefined || !outage.respondsToMost) return false;
    return this.#evidence.respondsToOthers(member.evidence, evidence, at);
  }

  #responded(member: Suspect, target: Target, at: number, latencyMs: number): void {
    // Before the evidence, by which the target knows whether this is its first response.
    const downMs = target.responded(at, latencyMs);
    this.#evidence.responded(member.evidence, target.evidence, at);
    this.#okAt = at;
    const { bus } = this.#options;
    if (downMs !== undefined && bus.has('target:up')) {
      bus.emit('target:up', { origin: target.origin, downMs, at });
    }
  }

  #noResponse(member: Suspect, target: Target, at: number): void {
    const { bus, poolSize } = this.#options;
    const { outage, origin } = target;
    if (!outage.failed(member.id, at, poolSize()) || !bus.has('target:down')) return;
    const { run: failures, proxies } = outage;
    bus.emit('target:down', { origin, failures, proxies, at });
  }

  /** An address that this machine cannot reach is the proxy's if others responded since it was last tried. */
  #unreachable(proxy: ProxyEvidence, at: number): boolean {
    const { unreachableAt } = proxy;
    proxy.unreachableAt = at;
    if (at - unreachableAt > evidenceMs || this.#okAt <= unreachableAt) return false;
    this.#evidence.proxyFailed(proxy, at);
    return true;
  }
}
