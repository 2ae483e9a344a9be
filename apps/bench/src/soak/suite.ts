import { parseArgs } from 'node:util';
import { soakEverything, type SoakOptions } from './everything.ts';
import { soakGateway } from './gateway.ts';

const parts: Readonly<Record<string, (options: SoakOptions) => Promise<boolean>>> = {
  everything: soakEverything,
  gateway: soakGateway,
};
const usage = `usage: npm run bench soak -- [${Object.keys(parts).join('|')}] [--minutes 10] [--seed 1] [--processes 3] [--rate 200]`;

/**
 * Runs whirl for a long time under everything that goes wrong, and says what is left at the end:
 * `npm run bench soak -- everything --minutes 10 --seed 1`. Without a name `everything` runs, which includes the gateway;
 * `gateway` is that alone, under more load. `--rate` is the number of visits that begin in a second.
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
    },
  });
  const minutes = Number(values.minutes);
  const seed = Number(values.seed);
  const processes = Number(values.processes);
  const perSecond = Number(values.rate);
  const known = positionals.every((name) => parts[name] !== undefined);
  const whole = Number.isInteger(seed) && Number.isInteger(processes) && processes > 0;
  if (!known || !(minutes > 0) || !whole || !(perSecond > 0)) {
    console.error(usage);
    process.exitCode = 2;
    return;
  }
  const names = positionals.length > 0 ? positionals : ['everything'];
  for (const name of names) {
    const soak = parts[name] as (options: SoakOptions) => Promise<boolean>;
    if (!(await soak({ seconds: minutes * 60, seed, processes, perSecond }))) process.exitCode = 1;
  }
}
