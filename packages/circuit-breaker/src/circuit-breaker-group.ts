import { CircuitBreaker } from './circuit-breaker.ts';
import { join, type Deadline } from './deadlines.ts';
import type { CircuitBreakerOptions } from './options.ts';
import { check } from './validate.ts';

/** The options of one breaker of a group; the name is given apart. */
export type GroupedBreakerOptions = Omit<CircuitBreakerOptions, 'name'>;

/** The options of all breakers of a group. A bad one is refused as `CircuitBreaker` refuses it. */
export interface CircuitBreakerGroupOptions extends GroupedBreakerOptions {
  /**
   * Breakers to keep. A new one then takes the place of the one that was got longest ago, if that is
   * closed and has no call in flight: the group grows beyond this while too few are. An integer
   * ≥ 1. Default: no bound.
   */
  readonly maxBreakers?: number | undefined;
}

/** Breakers that are looked at for one to forget when one is made: a bound for what `get` costs. */
const looks = 8;

/** `maxBreakers` where none is given. */
const unbounded = 2 ** 53 - 1;

/** Breakers by name, each made on first use with the group's options. */
export class CircuitBreakerGroup {
  readonly #options: CircuitBreakerOptions;
  readonly #maxBreakers: number;
  /** By last use, the latest last, if there is a bound. */
  readonly #breakers = new Map<string, CircuitBreaker>();
  /** Open breakers by deadline. A deadline may be outdated: each is looked at when it comes up. */
  #deadlines: Deadline[] = [];
  /** To be looked at by the next `due`: what changed since the last one, came up, or is half-open. */
  readonly #pending = new Set<CircuitBreaker>();
  readonly #look = (breaker: CircuitBreaker) => {
    // One that was deleted belongs to no group any more.
    if (this.peek(breaker.name) === breaker) this.#pending.add(breaker);
  };

  /** Throws as `CircuitBreaker` would for the same options. */
  constructor(options: CircuitBreakerGroupOptions = {}) {
    const { maxBreakers = unbounded, ...each } = options;
    void new CircuitBreaker(each);
    check('maxBreakers', maxBreakers, [0, true]);
    this.#options = each;
    this.#maxBreakers = maxBreakers;
  }

  /** The breaker of that name, made now if there is none; `options` of its own count only then. */
  get(name: string, options?: GroupedBreakerOptions): CircuitBreaker {
    let breaker = this.peek(name);
    if (breaker) {
      if (this.#maxBreakers === unbounded) return breaker;
      this.#breakers.delete(name);
    } else {
      breaker = new CircuitBreaker({ ...this.#options, ...options, name }, this.#look);
      this.#makeRoom();
    }
    this.#breakers.set(name, breaker);
    return breaker;
  }

  /** The breaker of that name, if there is one. */
  peek(name: string): CircuitBreaker | undefined {
    return this.#breakers.get(name);
  }

  /** Forgets that breaker; its tickets mean nothing to one made later under the same name. */
  delete(name: string): boolean {
    this.#pending.delete(this.peek(name)!);
    return this.#breakers.delete(name);
  }

  /** Names and breakers, in the order in which they were made; under `maxBreakers`, of last use. */
  entries(): IterableIterator<[string, CircuitBreaker]> {
    return this.#breakers.entries();
  }

  /** Forgets all breakers, as `delete` does. */
  [Symbol.dispose](): void {
    this.#breakers.clear();
    this.#pending.clear();
    this.#deadlines = [];
  }

  /**
   * The breakers whose test is due at `now`: open past the deadline, or half-open with a free
   * permit. Looks only at those that changed or came due since it was last asked, O(log n) each,
   * and at those with a test out.
   */
  *due(now: number): Generator<CircuitBreaker, void, undefined> {
    let first = join(this.#deadlines);
    for (; first && first.at <= now; first = join(first.later)) this.#look(first.breaker);
    this.#deadlines = first ? [first] : [];
    for (const breaker of this.#pending) {
      const at = breaker.nextTestAt;
      if (breaker.isDue(now)) yield breaker;
      else if (breaker.state !== 'half_open') {
        this.#pending.delete(breaker);
        if (at !== undefined) this.#deadlines.push({ at, breaker, later: [] });
      }
    }
  }

  /** Forgets what was used longest ago and can be spared, until one more fits. */
  #makeRoom(): void {
    let looked = 0;
    for (const [name, breaker] of this.#breakers) {
      if (this.#breakers.size < this.#maxBreakers || looked++ === looks) break;
      this.#breakers.delete(name);
      if (breaker.state === 'closed' && !breaker.inFlight) this.#pending.delete(breaker);
      // Counts as just used, so that the next look is at others.
      else this.#breakers.set(name, breaker);
    }
  }
}
