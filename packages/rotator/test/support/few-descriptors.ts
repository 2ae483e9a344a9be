// Run with few file descriptors: sends more requests at once than there are, and says what was blamed.
import { ProxyRotator } from '../../src/index.ts';

const [url = '', proxies = ''] = process.argv.slice(2);
const rotator = new ProxyRotator({
  proxies: proxies.split(','),
  connections: 1000,
  retryPolicy: { maxAttempts: 2, baseDelayMs: 100, failoverDelay: 'none' },
});
const blames: Record<string, number> = {};
let transitions = 0;
rotator.bus.on('attempt:end', ({ blame }) => (blames[blame] = (blames[blame] ?? 0) + 1));
rotator.bus.on('circuit:transition', () => transitions++);
const ask = async () => {
  const response = await rotator.get(url);
  await response.body.dump();
  return response.statusCode;
};
await Promise.allSettled(Array.from({ length: 500 }, ask));
const later = await ask();
await rotator.destroy();
process.stdout.write(JSON.stringify({ blames, transitions, later }));
