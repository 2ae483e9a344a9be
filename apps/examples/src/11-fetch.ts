// The fetch that is built into Node, through the pool: the rotator's dispatcher does the rest.
import { ProxyRotator } from '@whirl/rotator';
import { inTurn, onStage, say } from './stage.ts';

await onStage([{ kind: 'reset' }, { kind: 'ok' }], async ({ target, urls }) => {
  const rotator = new ProxyRotator({
    proxies: urls,
    strategy: inTurn(),
    retryPolicy: { failoverDelay: 'none' },
  });
  rotator.bus.on('attempt:end', ({ attempt, proxyId, outcome }) =>
    say(`  attempt ${attempt} through ${proxyId}: ${outcome}`),
  );
  say('fetch(url, rotator.fetchOptions()):');
  const response = await fetch(target.url, rotator.fetchOptions());
  say(`status ${response.status}: ${await response.text()}`);

  say('the same, shorter, and with the options of a request:');
  const answer = await rotator.fetch(target.url, { headers: { accept: 'application/json' } });
  say(`status ${answer.status}: ${JSON.stringify(await answer.json())}`);
  await rotator.close();
});
