import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CircuitBreaker, CircuitOpenError } from './index.ts';

const windowMs = 50;
const openMs = 20;
const probeLeaseMs = 15;
const maxOpenMs = 60;

interface Limits {
  readonly threshold: number;
  readonly permits: number;
  readonly successes: number;
  readonly multiplier: number;
}

/** A call that the model admitted. */
interface Call {
  readonly era: number;
  leaseEndsAt: number;
}

/** K1 to K14b as the specification words them: every failure kept, every call an object. */
class Model {
  readonly events: string[] = [];
  state = 'closed';
  #era = 0;
  #failures: number[] = [];
  #tripped = 0;
  #openUntil = 0;
  #failedTests = 0;
  #passedTests = 0;
  #tests: Call[] = [];
  readonly #limits: Limits;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  seen(now: number): string {
    return this.state === 'open' && now >= this.#openUntil ? 'half_open' : this.state;
  }

  failureCount(now: number): number {
    return this.state === 'closed' ? this.#recent(now) : this.#tripped;
  }

  canAttempt(now: number): boolean {
    if (this.seen(now) === 'half_open') return this.#free(now);
    return this.state === 'closed' || this.state === 'disabled';
  }

  acquire(now: number): Call | undefined {
    if (!this.canAttempt(now)) return undefined;
    if (this.state === 'open') this.#become('half_open', 'timeout');
    const call = { era: this.#era, leaseEndsAt: now + probeLeaseMs };
    if (this.state === 'half_open') {
      if (this.#tests.length === this.#limits.permits) this.#tests.shift();
      this.#tests.push(call);
    }
    return call;
  }

  settle(call: Call, verdict: 'succeed' | 'fail' | 'release', now: number): void {
    if (call.era !== this.#era) return;
    if (this.state === 'closed' && verdict === 'fail') {
      this.#failures.push(now);
      if (this.#recent(now) >= this.#limits.threshold) this.#open('failures', now);
    }
    if (this.state !== 'half_open' || !this.#tests.includes(call)) return;
    this.#tests = this.#tests.filter((other) => other !== call);
    if (verdict === 'fail') this.#open('probe_failed', now);
    if (verdict === 'succeed' && ++this.#passedTests === this.#limits.successes) {
      this.#become('closed', 'recovered');
    }
  }

  override(to: 'closed' | 'forced_open' | 'disabled', reason: string): void {
    if (this.state !== to) this.#become(to, reason);
    else if (to === 'closed') {
      this.#era++;
      this.#failures = [];
    }
  }

  trip(now: number, forMs?: number): void {
    if (this.seen(now) === 'half_open' && this.state === 'open')
      this.#become('half_open', 'timeout');
    if (this.state === 'open') this.#openUntil = Math.max(this.#openUntil, now + (forMs ?? 0));
    else if (this.state === 'closed' || this.state === 'half_open')
      this.#open('custom', now, forMs);
  }

  #recent(now: number): number {
    // By design only the last N failures are remembered: it shows where the clock steps back.
    const last = this.#failures.slice(-this.#limits.threshold);
    return last.filter((at) => now - at <= windowMs).length;
  }

  #free(now: number): boolean {
    const { permits } = this.#limits;
    // The test that has been out longest is the one to be replaced.
    return this.#tests.length < permits || now >= this.#tests[0]!.leaseEndsAt;
  }

  #open(reason: string, now: number, forMs?: number): void {
    if (this.state === 'closed') this.#tripped = this.#recent(now);
    else this.#failedTests++;
    const grown = openMs * this.#limits.multiplier ** this.#failedTests;
    this.#openUntil = now + (forMs ?? Math.min(grown, maxOpenMs));
    this.#become('open', reason);
  }

  #become(state: string, reason: string): void {
    const from = this.state;
    this.state = state;
    this.#era++;
    this.#tests = [];
    this.#passedTests = 0;
    if (state !== 'open' && state !== 'half_open') {
      this.#failures = [];
      this.#tripped = this.#failedTests = 0;
    }
    this.events.push(`${from} ${state} ${reason} ${this.events.length + 1} ${this.#tripped}`);
  }
}

const limits = fc.record({
  threshold: fc.integer({ min: 1, max: 4 }),
  permits: fc.integer({ min: 1, max: 3 }),
  successes: fc.integer({ min: 1, max: 3 }),
  multiplier: fc.constantFrom(1, 2),
});
const steps = fc.array(fc.nat(0xffffff), { minLength: 100, maxLength: 100 });
const verdicts = ['succeed', 'fail', 'fail', 'release'] as const;

test('K19 10,000 random sequences of 100 steps agree with an independent model', () => {
  let sequences = 0;
  let reachedHalfOpen = 0;
  fc.assert(
    fc.property(limits, steps, (given, sequence) => {
      let now = 1_000;
      const events: string[] = [];
      const model = new Model(given);
      const breaker = new CircuitBreaker({
        failureThreshold: given.threshold,
        windowMs,
        openMs,
        probeLeaseMs,
        maxOpenMs,
        halfOpenPermits: given.permits,
        successThreshold: given.successes,
        openMultiplier: given.multiplier,
        now: () => now,
        bus: {
          has: () => true,
          emit: (_type, event) => {
            const { from, to, reason, generation, failureCount } = event as never;
            events.push([from, to, reason, generation, failureCount].join(' '));
          },
        },
      });
      const calls: [Call, number][] = [];
      let halfOpen = false;
      for (const step of sequence) {
        const roll = step % 1_000;
        const draw = Math.floor(step / 1_000);
        if (roll < 400) {
          const call = model.acquire(now);
          const ticket = breaker.acquire();
          if ((ticket !== 0) !== (call !== undefined))
            throw new Error(`acquire answered ${ticket}`);
          if (call) calls.push([call, ticket]);
        } else if (roll < 750) {
          const [pair] = calls.splice(draw % (calls.length || 1), 1);
          const verdict = verdicts[(draw >> 4) % 4]!;
          if (pair) {
            model.settle(pair[0], verdict, now);
            breaker[verdict](pair[1]);
          }
        } else if (roll < 950) now += draw % 15;
        else if (roll < 965) now -= draw % 5;
        else if (roll < 980) {
          const forMs = draw % 2 === 0 ? undefined : 1 + (draw % 40);
          model.trip(now, forMs);
          breaker.trip({ openMs: forMs });
        } else if (roll < 992) {
          model.override('closed', 'reset');
          breaker.reset();
        } else if (roll < 996) {
          model.override('forced_open', 'forced');
          breaker.forceOpen();
        } else {
          model.override('disabled', 'disabled');
          breaker.disable();
        }
        const state = model.seen(now);
        halfOpen ||= state === 'half_open';
        if (
          breaker.state !== state ||
          breaker.canAttempt() !== model.canAttempt(now) ||
          breaker.failureCount !== model.failureCount(now)
        ) {
          throw new Error(`${JSON.stringify(breaker.snapshot())} instead of ${state}`);
        }
      }
      expect(events).toEqual(model.events);
      sequences++;
      if (halfOpen) reachedHalfOpen++;
    }),
    { numRuns: 10_000 },
  );
  expect(sequences).toBeGreaterThanOrEqual(10_000);
  expect(reachedHalfOpen / sequences).toBeGreaterThanOrEqual(0.3);
});

test('K19 any interleaving of 5 concurrent executes keeps probes within the permits', async () => {
  let admittedTests = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.integer({ min: 1, max: 3 }),
      fc.array(fc.constantFrom('succeed', 'fail', 'cancel'), { minLength: 5, maxLength: 5 }),
      async (scheduler, permits, endings) => {
        let now = 0;
        const breaker = new CircuitBreaker({
          failureThreshold: 1,
          openMs: 10,
          probeLeaseMs: 1_000,
          halfOpenPermits: permits,
          successThreshold: 2,
          now: () => now,
        });
        breaker.trip();
        now = 10;
        const out = new Map<number, number>();
        const call = async (ending: string, index: number) => {
          await scheduler.schedule(Promise.resolve(), `start ${index}`);
          const controller = new AbortController();
          const work = async () => {
            const era = breaker.generation;
            const isTest = breaker.state === 'half_open';
            const tests = (out.get(era) ?? 0) + 1;
            if (isTest) {
              admittedTests++;
              out.set(era, tests);
              expect(tests).toBeLessThanOrEqual(permits);
            }
            await scheduler.schedule(Promise.resolve(), `${ending} ${index}`);
            if (isTest) out.set(era, out.get(era)! - 1);
            if (ending === 'cancel') controller.abort();
            if (ending !== 'succeed') throw new Error(ending);
            return index;
          };
          try {
            const answer = await breaker.execute(work, { signal: controller.signal });
            expect([ending, answer]).toEqual(['succeed', index]);
          } catch (error) {
            if (!(error instanceof CircuitOpenError)) {
              expect((error as Error).message).toBe(ending);
            }
          }
        };
        const calls = endings.map(call);
        for (let i = 0; i < 2; i++) {
          void scheduler.schedule(Promise.resolve(), 'time passes').then(() => (now += 10));
        }
        await scheduler.waitAll();
        await Promise.all(calls);
        // Nothing is out any more: at the deadline the breaker admits again.
        now += 1_000;
        expect(breaker.canAttempt()).toBe(true);
      },
    ),
    { numRuns: 500 },
  );
  expect(admittedTests).toBeGreaterThan(500);
});
