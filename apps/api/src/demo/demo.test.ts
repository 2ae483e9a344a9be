import { once } from 'node:events';
import net from 'node:net';
import { ProxyRotator } from '@whirl/rotator';
import { startTarget } from '@whirl/testkit';
import { describe, expect, it, onTestFinished } from 'vitest';
import { buildApp } from '../../../../packages/server/src/app.ts';
import { startDemo } from './demo.ts';

/** The demo behind the API, ten times as fast as usual. */
async function start() {
  const demo = await startDemo({ speed: 10 });
  const rotator = new ProxyRotator({ proxies: demo.proxies, ...demo.rotator });
  const app = await buildApp({ rotator, dashboard: false });
  onTestFinished(async () => {
    await app.close();
    await rotator.destroy();
    await demo.close();
  });
  /** Resolves at the next transition of this proxy's circuit to the state. */
  const turns = (id: string, to: string) =>
    new Promise<void>((resolve) => {
      const off = rotator.bus.on('circuit:transition', (event) => {
        if (event.name !== id || event.to !== to) return;
        off();
        resolve();
      });
    });
  const ask = () =>
    app.inject({ method: 'POST', url: '/api/v1/request', payload: { url: demo.targetUrl } });
  return { demo, rotator, turns, ask };
}

describe('the demo fleet', () => {
  it('A12 its target has port 18000, or the next one that is free', async () => {
    const taken = net.createServer().listen(18_000, '127.0.0.1');
    onTestFinished(() => void taken.close());
    // Another demo of this machine may have it.
    await Promise.race([once(taken, 'listening'), once(taken, 'error')]);
    const demo = await startDemo();
    onTestFinished(() => demo.close());
    const { port } = new URL(demo.targetUrl);
    expect(Number(port)).toBeGreaterThan(18_000);
    expect(Number(port)).toBeLessThanOrEqual(18_003);
  });

  it('its circuits open in trouble and recover, one after the other; what is gone stays open', async () => {
    const { demo, rotator, turns } = await start();
    const seen = ['moody-1', 'moody-2', 'moody-3'].map(async (id) => {
      await turns(id, 'open');
      await turns(id, 'closed');
    });
    const gone = turns('gone', 'open');
    demo.run(rotator);
    await Promise.all([gone, ...seen]);
    expect(rotator.getCircuitBreakerStates().get('gone')?.state).not.toBe('closed');
    expect(rotator.getCircuitBreakerStates().get('steady')?.state).toBe('closed');
  });

  it('A12 carries no foreign traffic: what is not the demo’s own target is 403, in plain and through CONNECT', async () => {
    const { demo, rotator } = await start();
    const foreign = await startTarget();
    onTestFinished(() => foreign.close());
    const steady = { proxyId: 'steady', retryPolicy: null } as const;
    const plain = await rotator.get(foreign.url, steady);
    expect(plain.statusCode).toBe(403);
    expect(await plain.body.text()).toBe(
      `This is a demo: its proxies reach ${demo.targetUrl} alone. For other targets give proxies of your own ` +
        'with WHIRL_PROXIES or WHIRL_PROXIES_FILE.\n',
    );
    const tunnel = rotator.get(`https://127.0.0.1:${foreign.port}/`, steady);
    await expect(tunnel).rejects.toMatchObject({
      cause: { code: 'PROXY_CONNECTION', statusCode: 403 },
    });
    expect(foreign.requests).toBe(0);
    const own = await rotator.get(demo.targetUrl, steady);
    expect(own.statusCode).toBe(200);
    await own.body.dump();
  });

  it('a request through it succeeds while circuits open and recover', async () => {
    const { demo, rotator, turns, ask } = await start();
    let over = false;
    const recovered = turns('moody-1', 'open')
      .then(() => turns('moody-1', 'closed'))
      .then(() => (over = true));
    demo.run(rotator);
    const answers: number[] = [];
    while (!over) answers.push((await ask()).statusCode);
    await recovered;
    expect(answers.filter((status) => status !== 200)).toEqual([]);
    expect(answers.length).toBeGreaterThan(0);
    expect(rotator.getRetryMetrics().getSummary().totalRetries).toBeGreaterThan(0);
  });
});
