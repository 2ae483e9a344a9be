// Backoff strategies: the delays before retry 0, 1, 2, …, in milliseconds.
import { exponential, fixed, linear, sequence, type Backoff } from '@whirl/backoff';
import { say } from './stage.ts';

const retries = [0, 1, 2, 3, 4, 5, 6];
const show = (name: string, backoff: Backoff) => {
  const delays = retries.map((retry) => String(Math.round(backoff.delay(retry))).padStart(6));
  say(`${name.padEnd(24)} ${delays.join(' ')}`);
};

say(`${'retry'.padEnd(24)} ${retries.map((retry) => String(retry).padStart(6)).join(' ')}`);
show('exponential', exponential({ baseMs: 1000, multiplier: 2, maxMs: 30_000 }));
show('linear', linear({ baseMs: 2000, maxMs: 30_000 }));
show('fixed', fixed({ baseMs: 1000 }));
show('sequence', sequence([0, 500, 2000]));
say('with jitter, so that many clients do not come back at the same moment:');
for (const jitter of ['proportional', 'full', 'equal', 'decorrelated'] as const) {
  show(`exponential, ${jitter}`, exponential({ baseMs: 1000, maxMs: 30_000, jitter }));
}
