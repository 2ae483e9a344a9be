// Basic automatic retry: two of three proxies fail, and the request succeeds all the same.
import { ProxyRotator } from '@whirl/rotator';
import { startProxy, startTarget } from '@whirl/testkit';

const target = await startTarget();
const proxies = await Promise.all([
  startProxy({ behaviour: { kind: 'reset' } }),
  startProxy({ behaviour: { kind: 'status', statusCode: 503 } }),
  startProxy(),
]);
const rotator = new ProxyRotator({ proxies: proxies.map(({ url }) => url) });

rotator.bus.on('retry:scheduled', ({ attempt, failedProxyId, delayMs, reason }) =>
  console.log(`attempt ${attempt} in ${delayMs} ms: ${failedProxyId} failed (${reason})`),
);

const response = await rotator.get(target.url);
console.log(`status ${response.statusCode} through ${response.proxyId}`);
await response.body.dump();
for (const { attempt, proxyId, outcome, latencyMs } of response.attempts) {
  console.log(`  attempt ${attempt}: ${proxyId} ${outcome} after ${latencyMs.toFixed(1)} ms`);
}

await rotator.close();
await Promise.all([...proxies, target].map((server) => server.close()));
