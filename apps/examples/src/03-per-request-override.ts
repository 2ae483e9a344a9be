// Per-request override: a request's own policy replaces the global one whole; null makes one attempt.
import { ProxyRotator } from '@whirl/rotator';
import { inTurn, onStage, say, showWay } from './stage.ts';

await onStage([{ kind: 'status', statusCode: 503 }, { kind: 'ok' }], async ({ target, urls }) => {
  const rotator = new ProxyRotator({
    proxies: urls,
    strategy: inTurn(),
    retryPolicy: { baseDelayMs: 300 },
  });

  say('the global policy, with a delay of 300 ms:');
  await showWay(await rotator.get(target.url));

  say('for this request no retries:');
  await showWay(await rotator.get(target.url, { retryPolicy: null }));

  say('for this request a failover without a wait:');
  await rotator.get(target.url).then(({ body }) => body.dump()); // the good proxy's turn
  await showWay(await rotator.get(target.url, { retryPolicy: { failoverDelay: 'none' } }));
  await rotator.close();
});
