import { coldPool } from './cold-pool.ts';
import { cpu } from './cpu.ts';
import { criteria } from './criteria.ts';
import { largePool } from './large-pool.ts';
import { memory } from './memory.ts';
import { throughput } from './throughput.ts';
import { unreliable } from './unreliable.ts';

const parts: Record<string, () => Promise<unknown>> = {
  pool: largePool,
  throughput,
  cpu,
  memory,
  unreliable,
  cold: coldPool,
  criteria,
};

/** `npm run bench rotator [pool | throughput | cpu | memory | unreliable | cold | criteria]`; all of them without a name. */
export async function run(args: readonly string[]): Promise<void> {
  for (const name of args.length === 0 ? Object.keys(parts) : args) {
    const part = parts[name];
    if (part === undefined)
      throw new Error(`no part "${name}"; there are: ${Object.keys(parts).join(', ')}`);
    const result = await part();
    if (name === 'throughput') {
      console.log(`\nwhirl over ProxyAgent at 64: ${Number(result).toFixed(2)} (bar: 0.95)`);
    }
  }
}
