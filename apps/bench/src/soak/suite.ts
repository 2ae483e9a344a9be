import { parseArgs } from 'node:util';
import { soakGateway, type SoakOptions } from './gateway.ts';

const parts: Readonly<Record<string, (options: SoakOptions) => Promise<boolean>>> = {
  gateway: soakGateway,
};

/**
 * Runs parts of whirl for a long time under everything that goes wrong, and says what is left at the end:
 * `npm run bench soak -- gateway --minutes 10 --seed 1`. Without a name every part runs.
 */
export async function run(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      minutes: { type: 'string', default: '10' },
      seed: { type: 'string', default: '1' },
    },
  });
  const minutes = Number(values.minutes);
  const seed = Number(values.seed);
  const unknown = positionals.find((name) => parts[name] === undefined);
  if (unknown !== undefined || !(minutes > 0) || !Number.isInteger(seed)) {
    console.error(
      `usage: npm run bench soak -- [${Object.keys(parts).join('|')}] [--minutes 10] [--seed 1]`,
    );
    process.exitCode = 2;
    return;
  }
  for (const [name, soak] of Object.entries(parts)) {
    if (positionals.length > 0 && !positionals.includes(name)) continue;
    if (!(await soak({ seconds: minutes * 60, seed }))) process.exitCode = 1;
  }
}
