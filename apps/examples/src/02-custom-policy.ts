// A custom policy: five attempts, linear delays, 429 retried, no wait when another proxy takes over.
import { ProxyRotator } from '@whirl/rotator';
import { inTurn, onStage, say, showWay } from './stage.ts';

await onStage(
  [
    { kind: 'status', statusCode: 429 },
    { kind: 'close-after-connect' },
    { kind: 'garbage' },
    { kind: 'ok' },
  ],
  async ({ target, urls }) => {
    const rotator = new ProxyRotator({
      proxies: urls,
      strategy: inTurn(),
      retryPolicy: {
        name: 'impatient',
        maxAttempts: 5,
        backoffStrategy: 'linear',
        baseDelayMs: 2000,
        retryStatusCodes: [429, 502, 503, 504],
        failoverDelay: 'none',
        timeoutMs: 15_000,
      },
    });

    const response = await rotator.get(target.url);

    const policy = rotator.retryPolicy;
    say(
      `policy ${policy?.name}: ${response.attempts.length} of at most ${policy?.maxAttempts} attempts`,
    );
    await showWay(response);
    await rotator.close();
  },
);
