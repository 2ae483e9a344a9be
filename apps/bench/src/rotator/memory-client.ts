// One way to send, in a process of its own, started by `memory.ts` with its name, the target and the proxies. When it
// is told to, it has so many requests in flight at once and tells how many bytes of the heap each of them holds while
// it waits for its response. Ends when its parent disconnects. Needs `--expose-gc`.
import { setTimeout as sleep } from 'node:timers/promises';
import { sender, type Way } from './ways.ts';

interface Order {
  readonly requests: number;
  /** Milliseconds until all of them are on the wire, and none has its response. */
  readonly settledMs: number;
}

const [way = 'verb', target = '', ...proxies] = process.argv.slice(2);
const connections = 1000;
const send = sender(way as Way, { target, proxies, connections });

function heapUsed(): number {
  if (gc === undefined) throw new Error('run node with --expose-gc');
  // What the first one finalizes the second one frees.
  gc();
  gc();
  return process.memoryUsage().heapUsed;
}

process.on('message', async ({ requests, settledMs }: Order) => {
  const sent = Array.from({ length: requests }, send);
  await sleep(settledMs);
  const during = heapUsed();
  await Promise.all(sent);
  sent.length = 0;
  // Streams and immediates of the last responses end in the turns that follow.
  await sleep(100);
  process.send?.((during - heapUsed()) / requests);
});
process.on('disconnect', () => process.exit(0));
process.send?.('ready');
