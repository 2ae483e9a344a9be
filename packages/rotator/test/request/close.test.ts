import { startProxy, startTarget } from '@whirl/testkit';
import { expect, it } from 'vitest';
import { ProxyRotator } from '../../src/index.ts';
import { errorOf } from '../support/pool-rig.ts';

// In a file of its own: no other test's sockets are about.
it('F19 after graceMs, and on destroy, requests end with ClosedError and no handle remains', async () => {
  const before = process.getActiveResourcesInfo();
  const target = await startTarget();
  const proxy = await startProxy({ behaviour: { kind: 'hang' } });
  const busy = () => {
    const rotator = new ProxyRotator({
      proxies: [{ url: proxy.url, maxConcurrent: 1 }],
      queueTimeoutMs: 60_000,
      hedge: { afterMs: 60_000 },
      healthCheck: { url: target.url },
      retryPolicy: { timeoutMs: 60_000 },
    });
    // One that is under way, and one that waits in line.
    return { rotator, ended: [1, 2].map(() => errorOf(rotator.get(target.url))) };
  };
  for (const end of [
    (rotator: ProxyRotator) => rotator.close({ graceMs: 20 }),
    (rotator: ProxyRotator) => rotator.destroy(),
    (rotator: ProxyRotator) => rotator.dispatcher.destroy(),
  ]) {
    const { rotator, ended } = busy();
    await new Promise((resolve) => rotator.bus.once('attempt:start', resolve));
    await end(rotator);
    for (const error of await Promise.all(ended)) expect(error).toMatchObject({ code: 'CLOSED' });
    await end(rotator);
  }
  await target.close();
  await proxy.close();
  await new Promise((resolve) => setImmediate(resolve));
  // What is new, one by one: a timer of the test runner's may have ended meanwhile.
  const left = process.getActiveResourcesInfo().filter((kind) => {
    const at = before.indexOf(kind);
    if (at !== -1) before.splice(at, 1);
    return at === -1;
  });
  expect(left).toEqual([]);
});
