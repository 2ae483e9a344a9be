import { ProxyRotator } from '@whirl/rotator';
import { median } from '../measure.ts';
import { printTable } from '../table.ts';

const size = 100_000;
const rounds = 5;

/** Time and memory that 100,000 configured proxies cost, before the first request. */
export async function largePool(): Promise<void> {
  const ways: Record<string, (proxies: readonly string[]) => ProxyRotator> = {
    'new ProxyRotator({ proxies })': (proxies) => new ProxyRotator({ proxies }),
    'addProxy(), one by one': (proxies) => {
      const rotator = new ProxyRotator();
      for (const proxy of proxies) rotator.addProxy(proxy);
      return rotator;
    },
  };
  const rows: Record<string, string | number>[] = [];
  for (const [way, configure] of Object.entries(ways)) {
    const costs: { seconds: number; megabytes: number }[] = [];
    for (let round = -1; round < rounds; round++) {
      const cost = await costOf(configure);
      if (round >= 0) costs.push(cost);
    }
    rows.push({
      way,
      'seconds (bar: 1)': median(costs.map(({ seconds }) => seconds)),
      'MB (bar: 100)': median(costs.map(({ megabytes }) => megabytes)),
    });
  }
  printTable(`${size} proxies configured (medians of ${rounds})`, rows);
}

async function costOf(configure: (proxies: readonly string[]) => ProxyRotator) {
  const proxies = list();
  const before = heldBytes();
  const start = performance.now();
  const rotator = configure(proxies);
  const seconds = (performance.now() - start) / 1000;
  const megabytes = (heldBytes() - before) / 1e6;
  await rotator.destroy();
  // The list is the caller's: it was there before and after.
  if (proxies.length !== size) throw new Error('the list changed');
  return { seconds, megabytes };
}

function heldBytes(): number {
  const { gc } = globalThis as { gc?: () => void };
  if (gc === undefined) throw new Error('run with --expose-gc');
  gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function list(): string[] {
  return Array.from({ length: size }, (_, i) => {
    const host = `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`;
    return `http://user${i}:secret${i}@${host}:8080`;
  });
}
