// Non-idempotent requests: a POST that may have been received is not sent twice, unless you allow it.
import { ProxyRotator } from '@whirl/rotator';
import { inTurn, onStage, say, showWay } from './stage.ts';

const order = JSON.stringify({ item: 'book' });

/** A fresh rotator for each case: the failing proxy has its turn first. */
async function post(urls: string[], url: string, options: object): Promise<void> {
  const rotator = new ProxyRotator({
    proxies: urls,
    strategy: inTurn(),
    retryPolicy: { failoverDelay: 'none' },
  });
  await showWay(await rotator.post(url, { body: order, ...options }));
  await rotator.close();
}

await onStage(
  [{ kind: 'status', statusCode: 503 }, { kind: 'ok' }],
  async ({ target, proxies, urls }) => {
    const url = `${target.origin}/echo`;

    say('POST, answered by 503: perhaps it was received, so the answer is yours');
    await post(urls, url, {});

    say('with an Idempotency-Key the target can tell a repeat: retried');
    await post(urls, url, { headers: { 'idempotency-key': 'order-1' } });

    say('with retryNonIdempotent you say that a repeat does no harm: retried');
    await post(urls, url, { retryPolicy: { retryNonIdempotent: true, failoverDelay: 'none' } });

    say('the connection is refused, so nothing was sent: retried without being asked');
    await proxies[0]?.behave({ kind: 'refuse' });
    await post(urls, url, {});
  },
);
