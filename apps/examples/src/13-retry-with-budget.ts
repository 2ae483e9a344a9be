// retry() alone, with a budget: when everything fails, retries stop adding to the load.
import { createRetryBudget, exponential, retry } from '@whirl/backoff';
import { say } from './stage.ts';

const budget = createRetryBudget({ ratio: 0.2, minPerSecond: 5 });
const backoff = exponential({ baseMs: 1, maxMs: 4, jitter: 'full' });

async function load(name: string, failing: (call: number) => boolean): Promise<void> {
  let calls = 0;
  let failed = 0;
  const requests = 200;
  for (let i = 0; i < requests; i++) {
    const task = async () => {
      if (failing(++calls)) throw new Error('503');
    };
    await retry(task, { maxAttempts: 3, backoff, budget }).catch(() => failed++);
  }
  const perRequest = (calls / requests).toFixed(2);
  say(`${name}: ${calls} calls for ${requests} requests (${perRequest} each), ${failed} failed`);
}

await load('1 call in 20 fails', (call) => call % 20 === 0);
await load('every call fails', () => true);
say(`retries refused by the budget: ${budget.refused}`);
