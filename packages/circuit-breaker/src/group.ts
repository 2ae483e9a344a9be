import type { WhirlBus } from '@whirl/events';
import { CircuitBreaker, type CircuitBreakerOptions } from './circuit-breaker.ts';

export type CircuitBreakerGroupOptions = Omit<CircuitBreakerOptions, 'name'>;

/** A breaker, and the time at which its test was due when it was queued. */
interface Deadline {
  readonly at: number;
  readonly breaker: CircuitBreaker;
}

function push(heap: Deadline[], entry: Deadline): void {
  let index = heap.push(entry) - 1;
  while (index > 0) {
    const parent = (index - 1) >> 1;
    if (heap[parent]!.at <= entry.at) break;
    heap[index] = heap[parent]!;
    index = parent;
  }
  heap[index] = entry;
}

function pop(heap: Deadline[]): void {
  const last = heap.pop()!;
  if (heap.length === 0) return;
  let index = 0;
  for (;;) {
    let child = 2 * index + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && heap[child + 1]!.at < heap[child]!.at) child++;
    if (heap[child]!.at >= last.at) break;
    heap[index] = heap[child]!;
    index = child;
  }
  heap[index] = last;
}

/** Breakers by name, each made on first use with the group's options. */
export class CircuitBreakerGroup {
  readonly #options: CircuitBreakerGroupOptions;
  readonly #breakers = new Map<string, CircuitBreaker>();
  /** Open breakers by deadline. Entries may be stale: each is checked when it comes up. */
  #heap: Deadline[] = [];
  /** Breakers past their deadline or half-open: checked at each `due`. */
  readonly #ready = new Set<CircuitBreaker>();

  /** Throws as `CircuitBreaker` would for the same options. */
  constructor(options: CircuitBreakerGroupOptions = {}) {
    void new CircuitBreaker(options);
    this.#options = { ...options, bus: this.#hear(options.bus) };
  }

  get size(): number {
    return this.#breakers.size;
  }

  /** The breaker of that name, made now if there is none; `options` count only when it is made. */
  get(name: string, options?: CircuitBreakerGroupOptions): CircuitBreaker {
    let breaker = this.#breakers.get(name);
    if (breaker === undefined) {
      const bus = options?.bus ? this.#hear(options.bus) : this.#options.bus;
      breaker = new CircuitBreaker({ ...this.#options, ...options, name, bus });
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
    const breaker = this.#breakers.get(name);
    if (breaker) this.#ready.delete(breaker);
    return this.#breakers.delete(name);
  }

  entries(): IterableIterator<[string, CircuitBreaker]> {
    return this.#breakers.entries();
  }

  /** The breakers whose test is due at `now`. O(log n) for each that came due since last asked. */
  *due(now: number): Generator<CircuitBreaker, void, undefined> {
    for (let top = this.#heap[0]; top !== undefined && top.at <= now; top = this.#heap[0]) {
      pop(this.#heap);
      const { breaker } = top;
      const at = breaker.nextTestAt;
      if (at === undefined || this.#breakers.get(breaker.name) !== breaker) continue;
      if (at > now) push(this.#heap, { at, breaker });
      else this.#ready.add(breaker);
    }
    for (const breaker of this.#ready) {
      if (breaker.isDue(now)) yield breaker;
      else if (breaker.state !== 'half_open') {
        this.#ready.delete(breaker);
        this.#queue(breaker);
      }
    }
  }

  #queue(breaker: CircuitBreaker): void {
    const at = breaker.nextTestAt;
    if (at === undefined) return;
    if (this.#heap.length > 2 * this.#breakers.size + 32) {
      // Mostly stale entries: start over from what is open.
      this.#heap = [];
      for (const other of this.#breakers.values()) {
        const { nextTestAt } = other;
        if (nextTestAt !== undefined) push(this.#heap, { at: nextTestAt, breaker: other });
      }
    } else push(this.#heap, { at, breaker });
  }

  /** A bus that keeps the deadlines before it passes the fact on. */
  #hear(bus: CircuitBreakerOptions['bus']): Pick<WhirlBus, 'emit' | 'has'> {
    return {
      has: () => true,
      emit: (type, event) => {
        const { name, to } = event as { name: string; to: string };
        const breaker = this.#breakers.get(name);
        if (breaker !== undefined) {
          if (to === 'open') this.#queue(breaker);
          else if (to === 'half_open') this.#ready.add(breaker);
        }
        if (bus?.has(type)) bus.emit(type, event);
      },
    };
  }
}
