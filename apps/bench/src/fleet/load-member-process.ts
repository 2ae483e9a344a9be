// One member in a process of its own, whose CPU is not mixed with that of others. Started by `redis-load.ts` with its
// number and the port of Redis; answers each message with its CPU so far. Ends when its parent disconnects.
import { startMember } from './load-member.ts';

const [number, port] = process.argv.slice(2).map(Number);
const member = await startMember(number as number, port as number);
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.({
    cpuSeconds: (user + system) / 1e6,
    received: member.fleet.metrics().rows.received,
  });
});
process.on('disconnect', async () => {
  await member.end();
  process.exit(0);
});
process.send?.('ready');
