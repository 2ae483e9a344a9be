// One way to send, in a process of its own: what it costs is not mixed with what the others leave behind.
// Started by `cpu.ts` with its name, the target and the proxies; sends so many requests when it is told to, and
// tells what they came to. Ends when its parent disconnects.
import { load } from './load.ts';
import { sender, type Way } from './ways.ts';

interface Order {
  readonly requests: number;
  readonly concurrency: number;
}

const [way = 'verb', target = '', ...proxies] = process.argv.slice(2);
const send = sender(way as Way, { target, proxies, connections: 64 });
process.on('message', async (order: Order) => {
  const { cpuUs, failed } = await load(send, order);
  process.send?.({ cpuUs, failed });
});
process.on('disconnect', () => process.exit(0));
process.send?.('ready');
