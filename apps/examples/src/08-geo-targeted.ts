// Geo-targeted retry: a request stays in its region, also when it fails over.
import { ProxyRotator } from '@whirl/rotator';
import { geo } from '@whirl/selector';
import { inTurn, onStage, say, showWay } from './stage.ts';

await onStage(
  [{ kind: 'ok' }, { kind: 'reset' }, { kind: 'ok' }],
  async ({ target, proxies, urls }) => {
    const regions = ['US-EAST', 'EU-WEST', 'EU-WEST'];
    const rotator = new ProxyRotator({
      proxies: urls.map((url, i) => ({ url, region: regions[i] })),
      strategy: geo(inTurn()),
      retryPolicy: { failoverDelay: 'none' },
    });
    for (const { id, region } of rotator.proxies()) say(`${id} is in ${region}`);

    say('three requests for EU-WEST:');
    for (let i = 0; i < 3; i++) {
      await showWay(await rotator.get(target.url, { region: 'EU-WEST' }));
    }

    say('EU-WEST is gone; geo() falls back to any region:');
    rotator.removeProxy(proxies[1]?.id ?? '');
    rotator.removeProxy(proxies[2]?.id ?? '');
    await showWay(await rotator.get(target.url, { region: 'EU-WEST' }));
    await rotator.close();
  },
);
