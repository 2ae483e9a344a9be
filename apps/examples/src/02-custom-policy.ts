// A custom policy: five attempts, linear delays, 429 retried, no wait when another proxy takes over.
import { ProxyRotator } from '@whirl/rotator';
import { startProxy, startTarget } from '@whirl/testkit';

const target = await startTarget();
const proxies = await Promise.all([
  startProxy({ behaviour: { kind: 'status', statusCode: 429 } }),
  startProxy({ behaviour: { kind: 'close-after-connect' } }),
  startProxy({ behaviour: { kind: 'garbage' } }),
  startProxy(),
]);
const rotator = new ProxyRotator({
  proxies: proxies.map(({ url }) => url),
  retryPolicy: {
    name: 'patient',
    maxAttempts: 5,
    backoffStrategy: 'linear',
    baseDelayMs: 2000,
    retryStatusCodes: [429, 502, 503, 504],
    failoverDelay: 'none',
    timeoutMs: 15_000,
  },
});

const response = await rotator.get(target.url);
await response.body.dump();
console.log(`policy ${rotator.retryPolicy.name}: status ${response.statusCode}`);
console.log(`${response.attempts.length} of at most ${rotator.retryPolicy.maxAttempts} attempts`);
for (const { attempt, outcome, statusCode, errorCode, delayBeforeMs } of response.attempts) {
  const detail = errorCode ?? statusCode ?? '';
  console.log(`  attempt ${attempt}: ${outcome} ${detail}, after waiting ${delayBeforeMs} ms`);
}

await rotator.close();
await Promise.all([...proxies, target].map((server) => server.close()));
