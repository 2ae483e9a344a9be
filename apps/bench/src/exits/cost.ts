import { ProxyRotator } from '@whirl/rotator';
import { median } from '../measure.ts';

const rounds = 5;

/** Time and memory of so many exits of one line, beside as many proxies. */
export async function costOfExits(count: number) {
  const exits = { url: 'http://customer-U-sessid-{session}:pw@gate.example:7777', exits: count };
  const lines = Array.from({ length: count }, (_, i) => `http://u${i}:pw@gate.example:7777`);
  return [
    await costOf(
      `${count} exits (bars: 100 ms, 10 MB)`,
      () => new ProxyRotator({ proxies: [exits] }),
    ),
    await costOf(`${count} proxies`, () => new ProxyRotator({ proxies: lines })),
  ];
}

/** All are kept until the end: what one leaves behind is not taken for what the next one costs. */
async function costOf(what: string, make: () => ProxyRotator) {
  const times: number[] = [];
  const sizes: number[] = [];
  const rotators: ProxyRotator[] = [];
  for (let round = -2; round < rounds; round++) {
    const before = heldBytes();
    const began = performance.now();
    rotators.push(make());
    const tookMs = performance.now() - began;
    const bytes = heldBytes() - before;
    if (round < 0) continue;
    times.push(tookMs);
    sizes.push(bytes / 1e6);
  }
  for (const rotator of rotators) await rotator.destroy();
  return { what, ms: median(times), MB: median(sizes) };
}

function heldBytes(): number {
  const { gc } = globalThis as { gc?: () => void };
  if (gc === undefined) throw new Error('run with --expose-gc');
  gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
