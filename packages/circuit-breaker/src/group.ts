import { CircuitBreaker } from './circuit-breaker.ts';
import { join, type Deadline } from './deadlines.ts';
import type { CircuitBreakerOptions } from './options.ts';

/** As for one breaker, but for the name: that is each breaker's own. */
export type CircuitBreakerGroupOptions = Omit<CircuitBreakerOptions, 'name'>;

/** Breakers by name, each made on first use with the group's options. */
export class CircuitBreakerGroup {
  readonly #options: CircuitBreakerOptions;
  readonly #breakers = new Map<string, CircuitBreaker>();
  /** Open breakers by deadline. A deadline may be outdated: each is looked at when it comes up. */
  #deadlines: Deadline[] = [];
  /** To be looked at by the next `due`: what changed since the last one, came up, or is half-open. */
  readonly #pending = new Set<CircuitBreaker>();
  readonly #look = (breaker: CircuitBreaker) => {
    // One that was deleted is nobody's any more.
    if (this.peek(breaker.name) === breaker) this.#pending.add(breaker);
  };

  /** Throws as `CircuitBreaker` would for the same options. */
  constructor(options: CircuitBreakerGroupOptions = {}) {
    void new CircuitBreaker(options);
    this.#options = { ...options };
  }

  /** The breaker of that name, made now if there is none; `options` of its own count only then. */
  get(name: string, options?: CircuitBreakerGroupOptions): CircuitBreaker {
    let breaker = this.peek(name);
    if (!breaker) {
      breaker = new CircuitBreaker({ ...this.#options, ...options, name }, this.#look);
      this.#breakers.set(name, breaker);
    }
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

  /** Names and breakers, in the order in which they were made. */
  entries(): IterableIterator<[string, CircuitBreaker]> {
    return this.#breakers.entries();
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
}
