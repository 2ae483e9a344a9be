import { parseArgs } from 'node:util';
import { soakEverything, type SoakOptions } from './everything.ts';
import { soakGateway } from './gateway.ts';

const parts: Readonly<Record<string, (options: SoakOptions) => Promise<boolean>>> = {
  everything: soakEverything,
  gateway: soakGateway,
};
const usage = `usage: npm run bench soak -- [${Object.keys(parts).join('|')}] [--minutes 10] [--seed 1] [--processes 3] [--rate 200] [--clients 32]`;

/**
 * Runs whirl for a long time under everything that goes wrong, and says what is left at the end:
 * `npm run bench soak -- everything --minutes 10 --seed 1`. Without a name `everything` runs, which includes the gateway;
 * `gateway` is that alone, under more load. `--rate` is the number of visits that begin in a second, and `--clients` how
 * many clients each process has: both bound how much is asked.
 */
export async function run(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      minutes: { type: 'string', default: '10' },
      seed: { type: 'string', default: '1' },
      processes: { type: 'string', default: '3' },
      rate: { type: 'string', default: '200' },
      clients: { type: 'string', default: '32' },
    },
  });
  const minutes = Number(values.minutes);
  const seed = Number(values.seed);
  const processes = Number(values.processes);
  const perSecond = Number(values.rate);
  const clients = Number(values.clients);
  const known = positionals.every((name) => parts[name] !== undefined);
  const counts = [processes, clients].every((each) => Number.isInteger(each) && each > 0);
  const whole = Number.isInteger(seed) && counts;
  if (!known || !(minutes > 0) || !whole || !(perSecond > 0)) {
    console.error(usage);
    process.exitCode = 2;
    return;
  }
  const names = positionals.length > 0 ? positionals : ['everything'];
  for (const name of names) {
    const soak = parts[name] as (options: SoakOptions) => Promise<boolean>;
    const options = { seconds: minutes * 60, seed, processes, perSecond, clients };
    if (!(await soak(options))) process.exitCode = 1;
  }
}
