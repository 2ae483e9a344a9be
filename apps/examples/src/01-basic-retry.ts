// Basic automatic retry: two of three proxies fail, and the request succeeds all the same.
// The default policy makes three attempts at most, and waits 1 s, then 2 s.
import { ProxyRotator } from '@whirl/rotator';
import { inTurn, onStage, say, showWay } from './stage.ts';

await onStage(
  [{ kind: 'reset' }, { kind: 'status', statusCode: 503 }, { kind: 'ok' }],
  async ({ target, urls }) => {
    // In turn, so that the story is the same each time; the default strategy picks by experience.
    const rotator = new ProxyRotator({ proxies: urls, strategy: inTurn() });
    rotator.bus.on('retry:scheduled', ({ attempt, failedProxyId, delayMs, reason }) =>
      say(`${failedProxyId} failed (${reason}); attempt ${attempt} in ${delayMs} ms`),
    );

    const response = await rotator.get(target.url);

    say('the way that the request took:');
    await showWay(response);
    await rotator.close();
  },
);
