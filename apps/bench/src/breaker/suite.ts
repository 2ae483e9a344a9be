// `npm run bench breaker`: @whirl/circuit-breaker beside cockatiel and opossum, in one run.
import {
  CircuitBreaker,
  CircuitBreakerGroup,
  failureCount,
  failureRate,
  type CircuitBreakerOptions,
  type TripRule,
} from '@whirl/circuit-breaker';
import {
  circuitBreaker,
  ConsecutiveBreaker,
  CountBreaker,
  handleAll,
  SamplingBreaker,
  type IBreaker,
} from 'cockatiel';
import Opossum from 'opossum';
import { compareNs, type Subject } from '../measure.ts';
import { printTable } from '../table.ts';
import { idleCost } from './idle-cost.ts';

const answer = async () => 1;
const loop =
  (call: () => unknown): Subject =>
  async (count) => {
    for (let i = 0; i < count; i++) await call();
  };
const refused =
  (call: () => Promise<unknown>): Subject =>
  async (count) => {
    for (let i = 0; i < count; i++) {
      try {
        await call();
      } catch {
        // The refusal that is measured.
      }
    }
  };

const cockatiel = (breaker: IBreaker) =>
  circuitBreaker(handleAll, { halfOpenAfter: 3_600_000, breaker });
const opossum = () => new Opossum(answer, { timeout: false, resetTimeout: 3_600_000 });

/** What each adds to a bare `await fn()` while closed. */
async function happyPath(): Promise<string> {
  const whirl = new CircuitBreaker();
  const rate = new CircuitBreaker({ trip: failureRate({ ratio: 0.5 }) });
  const consecutive = cockatiel(new ConsecutiveBreaker(5));
  const sampling = cockatiel(new SamplingBreaker({ threshold: 0.5, duration: 60_000 }));
  const count = cockatiel(new CountBreaker({ threshold: 0.5, size: 100 }));
  const circuit = opossum();
  const ns = await compareNs({
    'bare await fn()': loop(answer),
    'whirl, 5 failures in 60 s (the default)': loop(() => whirl.execute(answer)),
    'whirl, failureRate over 60 s': loop(() => rate.execute(answer)),
    'cockatiel ConsecutiveBreaker': loop(() => consecutive.execute(answer)),
    'cockatiel SamplingBreaker': loop(() => sampling.execute(answer)),
    'cockatiel CountBreaker': loop(() => count.execute(answer)),
    opossum: loop(() => circuit.fire()),
  });
  circuit.shutdown();
  const bare = ns['bare await fn()'];
  const added = Object.entries(ns).map(([what, total]) => ({ what, total, added: total - bare }));
  const of = (start: string) =>
    Math.min(...added.filter(({ what }) => what.startsWith(start)).map((row) => row.added));
  const ours = of('whirl, 5');
  printTable(
    'A call that succeeds, circuit closed',
    added.map(({ what, total, added: more }) => ({
      breaker: what,
      'ns per call': total,
      'added ns': more,
      'whirl adds / this adds': more > 0 ? (ours / more).toPrecision(2) : '',
    })),
  );
  const [fast, other] = [ours / of('cockatiel'), ours / of('opossum')];
  return `adds ${fast.toFixed(2)} of what cockatiel's fastest adds, ${other.toFixed(2)} of opossum's`;
}

/** What it costs to be refused. */
async function refusal(): Promise<string> {
  const whirl = new CircuitBreaker({ openMs: 3_600_000 });
  whirl.trip();
  const policy = cockatiel(new ConsecutiveBreaker(5));
  policy.isolate();
  const circuit = opossum();
  circuit.open();
  const ns = await compareNs(
    {
      'whirl acquire() answering 0': (count) => {
        for (let i = 0; i < count; i++) if (whirl.acquire() !== 0) throw new Error('admitted');
      },
      'whirl execute()': refused(() => whirl.execute(answer)),
      'cockatiel execute()': refused(() => policy.execute(answer)),
      'opossum fire()': refused(() => circuit.fire()),
    },
    { count: 5_000 },
  );
  circuit.shutdown();
  const gate = ns['whirl acquire() answering 0'];
  const execute = ns['whirl execute()'];
  printTable(
    'A call that is refused, circuit open',
    Object.entries(ns).map(([what, each]) => ({
      breaker: what,
      'ns per call': each,
      'this / whirl execute()': each / execute,
      'this / acquire()': each / gate,
    })),
  );
  const peer = Math.min(ns['cockatiel execute()'], ns['opossum fire()']);
  return `refuses ${(peer / execute).toFixed(1)} times cheaper than the cheaper of them (the bare gate ${(peer / gate).toFixed(0)} times)`;
}

/** A failing call, with so many calls in the window. */
function failing(calls: number, rule: 'failureCount' | 'failureRate'): Subject {
  let t = 0;
  // A call a millisecond, and each fiftieth succeeds: the last N failures never fall within N ms.
  const trip: Record<typeof rule, TripRule> = {
    failureCount: failureCount({ threshold: calls, windowMs: calls }),
    failureRate: failureRate({ ratio: 1, windowSize: calls, minimumCalls: calls }),
  };
  const breaker = new CircuitBreaker({ trip: trip[rule], now: () => t });
  const call = () => {
    t++;
    const ticket = breaker.acquire();
    if (t % 50 === 0) breaker.succeed(ticket);
    else breaker.fail(ticket);
  };
  for (let i = 0; i < 1.1 * calls; i++) call();
  return (count) => {
    for (let i = 0; i < count; i++) call();
    if (breaker.generation > 0) throw new Error('it opened');
  };
}

async function failures(): Promise<string> {
  const rows: { rule: string; few: number; many: number; ratio: number }[] = [];
  for (const rule of ['failureCount', 'failureRate'] as const) {
    const { few, many } = await compareNs(
      { few: failing(100, rule), many: failing(100_000, rule) },
      { count: 100_000 },
    );
    rows.push({ rule, few, many, ratio: many / few });
  }
  printTable(
    'A call that fails, by the calls in the window',
    rows.map(({ rule, few, many, ratio }) => ({
      rule,
      'ns at 100': few,
      'ns at 100,000': many,
      ratio,
    })),
  );
  const worst = Math.max(...rows.map(({ ratio }) => ratio));
  return `a failing call costs ${worst.toFixed(2)} times as much with 100,000 calls in the window as with 100`;
}

async function idle(): Promise<string> {
  const size = 100_000;
  const group = new CircuitBreakerGroup();
  const options: CircuitBreakerOptions = { openMs: 10_000 };
  const costs = {
    whirl: await idleCost(size, () => new CircuitBreaker(options)),
    'whirl, in a group': await idleCost(size, (i) => group.get(String(i))),
    cockatiel: await idleCost(size, () => cockatiel(new ConsecutiveBreaker(5))),
    opossum: await idleCost(2_000, opossum, (circuit) => circuit.shutdown()),
  };
  printTable(
    'An idle breaker',
    Object.entries(costs).map(([breaker, { count, bytes, timers }]) => ({
      breaker,
      breakers: count,
      'bytes each': Math.round(bytes),
      timers,
    })),
  );
  const { bytes, timers } = costs.whirl;
  return `an idle one is ${Math.round(bytes)} bytes and ${timers} timers`;
}

export async function run(): Promise<void> {
  const conclusions = [await happyPath(), await refusal(), await failures(), await idle()];
  console.log(`\n@whirl/circuit-breaker ${conclusions.join('; ')}.`);
}
