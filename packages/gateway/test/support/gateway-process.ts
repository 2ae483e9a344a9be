// Child process: a gateway before the proxies of its arguments, which tells its memory when it is asked.
import { ProxyRotator } from '@whirl/rotator';
import { createGateway } from '../../src/index.ts';

const rotator = new ProxyRotator({ proxies: process.argv.slice(2) });
const gateway = createGateway(rotator, { port: 0 });
const { port } = await gateway.listen();
process.on('message', () => {
  (globalThis as { gc?: () => void }).gc?.();
  process.send?.({ rssBytes: process.memoryUsage.rss(), open: gateway.stats().openTunnels });
});
process.on('disconnect', () => process.exit());
process.send?.({ port });
