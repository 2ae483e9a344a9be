// Timeout management: a bound for each attempt, and one for the whole request.
import { ProxyRotator, RequestTimeoutError } from '@whirl/rotator';
import { inTurn, onStage, say, showWay } from './stage.ts';

await onStage([{ kind: 'hang' }, { kind: 'ok' }], async ({ target, proxies, urls }) => {
  const rotator = new ProxyRotator({
    proxies: urls,
    strategy: inTurn(),
    retryPolicy: {
      attemptTimeoutMs: 400,
      timeoutMs: 1000,
      baseDelayMs: 100,
      failoverDelay: 'none',
    },
  });

  say('one proxy hangs: after 400 ms another one takes over');
  await showWay(await rotator.get(target.url));

  say('both hang: it ends within 1,000 ms, as soon as no attempt could begin before that');
  await proxies[1]?.behave({ kind: 'hang' });
  const start = performance.now();
  try {
    await rotator.get(target.url);
  } catch (error) {
    if (!(error instanceof RequestTimeoutError)) throw error;
    const tenths = Math.round((performance.now() - start) / 100);
    say(`${error.code} after ${tenths / 10} s and ${error.attempts.length} attempts`);
  }
  await rotator.destroy();
});
