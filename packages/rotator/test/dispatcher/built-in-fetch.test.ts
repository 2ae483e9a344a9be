import { startProxy, startTarget } from '@whirl/testkit';
import { describe, expect, it } from 'vitest';
import { ProxyRotator } from '../../src/index.ts';
import { fast, rig } from '../support/pool-rig.ts';
import { use } from '../support/rig.ts';

// Small on purpose: `npm run test:nodes` runs it on every Node line that is supported.
describe(`the built-in fetch of Node ${process.versions.node}`, () => {
  for (const tls of [false, true]) {
    const scheme = tls ? 'https' : 'http';
    it(`F16 GET and POST fail over through the dispatcher (${scheme})`, async () => {
      const { rotator, target } = await rig([{ kind: 'refuse' }, { kind: 'ok' }], {}, { tls });
      const { dispatcher } = rotator;
      for (const view of [
        (path: string, init: RequestInit) =>
          fetch(target.origin + path, { ...init, dispatcher } as unknown as RequestInit),
        (path: string, init: RequestInit) => rotator.fetch(target.origin + path, init),
      ]) {
        expect(await (await view('/', {})).json()).toMatchObject({ ok: true });
        const posted = await view('/echo', {
          method: 'POST',
          body: 'hello',
          // Node 20 sends it beside its own.
          headers: { 'content-length': '5' },
        });
        expect(await posted.text()).toBe('hello');
      }
    });
  }

  it('F16 a PUT that was sent is replayed whole; redirects are followed, bodies decoded', async () => {
    const { rotator, target } = await rig([{ kind: 'reset' }, { kind: 'ok' }], {
      retryPolicy: { ...fast, retryNonIdempotent: true },
    });
    const put = await rotator.fetch(`${target.origin}/echo`, { method: 'PUT', body: 'replayed' });
    expect(await put.text()).toBe('replayed');
    const form = new FormData();
    form.append('field', 'value');
    const posted = await rotator.fetch(`${target.origin}/echo`, { method: 'POST', body: form });
    expect(await posted.text()).toContain('name="field"');
    const redirected = await rotator.fetch(`${target.origin}/redirect`);
    expect([redirected.redirected, redirected.status]).toEqual([true, 200]);
    await redirected.text();
    expect(await (await rotator.fetch(`${target.origin}/gzip`)).json()).toEqual({ gzip: true });
  });

  it('F16 fetch takes what is asked of the pool beside its init', async () => {
    const target = use(await startTarget());
    const proxy = use(await startProxy({ behaviour: { kind: 'ok' } }));
    const rotator = new ProxyRotator({ proxies: [{ url: proxy.url, id: 'p', tags: ['x'] }] });
    use({ close: () => rotator.destroy() });
    const options = { tags: ['x'], proxyId: 'p', retryPolicy: null };
    const response = await rotator.fetch(`${target.origin}/status/503`, options);
    expect(response.status).toBe(503);
    await response.text();
    expect(target.requests).toBe(1);
    const refused: unknown = await rotator
      .fetch(target.url, { tags: ['y'] })
      .catch((error: unknown) => error);
    expect(refused).toMatchObject({ name: 'TypeError', cause: { code: 'NO_PROXIES' } });
  });

  it('F16 an abort and a body that fails reach the caller', async () => {
    const { rotator, target } = await rig([{ kind: 'hang' }]);
    const signal = AbortSignal.timeout(50);
    await expect(rotator.fetch(target.url, { signal })).rejects.toThrow(/timeout|aborted/i);
    const cut = await rig([{ kind: 'cut-body', afterBytes: 10 }]);
    const response = await cut.rotator.fetch(`${cut.target.origin}/bytes/100000`);
    await expect(response.text()).rejects.toThrow();
  });
});
