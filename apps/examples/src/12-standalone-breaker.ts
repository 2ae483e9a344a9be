// The breaker alone, around any async function: no proxy, no HTTP.
import { CircuitBreaker, CircuitOpenError } from '@whirl/circuit-breaker';
import { setTimeout as wait } from 'node:timers/promises';
import { say } from './stage.ts';

let databaseIsUp = false;
async function query(): Promise<string> {
  if (!databaseIsUp) throw new Error('the database is down');
  return 'a row';
}

const breaker = new CircuitBreaker({ name: 'database', failureThreshold: 3, openMs: 300 });

async function call(): Promise<void> {
  try {
    say(`${breaker.state}: ${await breaker.execute(query)}`);
  } catch (error) {
    if (!(error instanceof CircuitOpenError)) say(`${breaker.state}: ${(error as Error).message}`);
    else say(`open: refused at once, the database is left in peace`);
  }
}

for (let i = 0; i < 5; i++) await call();
say('the database comes back; after 300 ms one call tests it');
databaseIsUp = true;
await wait(310);
await call();
await call();
