import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const execute = promisify(execFile);

/** What metrics hold after a day of that many attempts an hour through 12,000 proxies. */
async function heldAfterADay(attemptsPerHour: number) {
  const fixture = fileURLToPath(new URL('./memory.fixture.ts', import.meta.url));
  const { stdout } = await execute(
    process.execPath,
    ['--expose-gc', '--conditions=@whirl/source', '--import', 'tsx', fixture, `${attemptsPerHour}`],
    { env: { ...process.env, NODE_OPTIONS: '' } },
  );
  return JSON.parse(stdout) as { bytes: number; sizes: Record<string, number> };
}

it(
  'M5 10,000 proxies, 24 hours: at most 15 MB, whatever the traffic',
  { timeout: 120_000 },
  async () => {
    const full = { attempts: 10_000, hours: 24, events: 1000, proxies: 10_000 };
    const some = await heldAfterADay(10_000);
    expect(some.sizes).toEqual(full);
    expect(some.bytes).toBeLessThanOrEqual(15_000_000);
    // Twice the traffic holds no more; the slack is the collector's and the compiler's.
    const more = await heldAfterADay(20_000);
    expect(more.sizes).toEqual(full);
    expect(more.bytes).toBeLessThanOrEqual(15_000_000);
    expect(more.bytes - some.bytes).toBeLessThanOrEqual(1_000_000);
  },
);
