import { once } from 'node:events';
import http from 'node:http';
import type net from 'node:net';
import * as undici from 'undici';
import { afterEach, describe, expect, it } from 'vitest';
import type { ProxyRotator } from './index.ts';
import { errorOf, rig } from '../test/support/pool-rig.ts';
import { use } from '../test/support/rig.ts';

type Fetch = typeof globalThis.fetch;
type Init = RequestInit & { dispatcher?: unknown };

const builtIn = globalThis.fetch;
afterEach(() => {
  globalThis.fetch = builtIn;
});

/** Puts a function in the place of the global fetch, and notes what it was asked for. */
function replaceFetch(replacement: (...given: [Parameters<Fetch>[0], Init?]) => Promise<Response>) {
  const urls: string[] = [];
  globalThis.fetch = ((input: Parameters<Fetch>[0], init?: Init) => {
    urls.push(input instanceof Request ? input.url : String(input));
    return replacement(input, init);
  }) as Fetch;
  return urls;
}

/** A fetch that ignores its dispatcher, as those of Bun and Deno do. */
const ignoring = () =>
  replaceFetch((input, init) => builtIn(input, { ...init, dispatcher: undefined } as object));

const text = async (response: Promise<Response>) => (await response).text();

describe('F16h rotator.fetch never goes past the pool', () => {
  it('where the global fetch ignores a dispatcher it is not used', async () => {
    const { rotator, target, proxies } = await rig([{ kind: 'ok' }]);
    const urls = ignoring();
    const response = await rotator.fetch(`${target.origin}/redirect`);
    expect(response).toBeInstanceOf(Response);
    expect([response.status, response.redirected]).toEqual([200, true]);
    expect(response.url).toMatch(new RegExp(`^${target.origin}/`));
    await response.text();
    expect(proxies[0]?.stats.requests).toBe(2);
    // It was asked once, with an address of this machine that means nothing.
    expect(urls).toEqual(['http://127.0.0.1:65535/']);
    await text(rotator.fetch(target.url));
    expect(urls).toHaveLength(1);
  });

  it.each([
    ['throws', () => Promise.reject(new Error('no'))],
    [
      'throws at once',
      () => {
        throw new Error('no');
      },
    ],
    ['answers by itself', async () => new Response('mocked')],
    ['returns nothing', (() => {}) as never],
  ])('nor where the replacement %s', async (_, replacement) => {
    const { rotator, target } = await rig([{ kind: 'ok' }]);
    replaceFetch(replacement);
    expect(await (await rotator.fetch(target.url)).json()).toMatchObject({ ok: true });
  });

  it('a dead pool is an error, and nothing reaches the target', async () => {
    const { rotator, target } = await rig([{ kind: 'refuse' }], { retryPolicy: null });
    ignoring();
    const error = await errorOf(rotator.fetch(target.url));
    expect(error).toMatchObject({ name: 'TypeError', cause: { code: 'RETRIES_EXHAUSTED' } });
    expect(target.requests).toBe(0);
  });

  it('a replacement that passes the dispatcher on is used: it may trace', async () => {
    const { rotator, target, proxies } = await rig([{ kind: 'ok' }]);
    const urls = replaceFetch((input, init) => builtIn(input, init));
    await text(rotator.fetch(target.url));
    await text(rotator.fetch(target.url));
    expect(urls.slice(1)).toEqual([target.url, target.url]);
    expect(proxies[0]?.stats.requests).toBe(2);
  });

  it('a response that did not come through the pool is thrown away', async () => {
    const { rotator, target } = await rig([{ kind: 'ok' }]);
    replaceFetch(async (input, init) =>
      input === target.url ? new Response('cached') : builtIn(input, init),
    );
    const error = await errorOf(rotator.fetch(target.url));
    expect(error).toMatchObject({ name: 'TypeError', cause: { code: 'FETCH_BYPASSED' } });
  });

  it('data: and blob: URLs need no pool', async () => {
    const { rotator, facts } = await rig([{ kind: 'refuse' }]);
    const blob = URL.createObjectURL(new Blob(['in memory']));
    for (const replace of [() => {}, ignoring]) {
      replace();
      expect(await text(rotator.fetch('data:text/plain,hello'))).toBe('hello');
      expect(await text(rotator.fetch(blob))).toBe('in memory');
    }
    expect(facts).toEqual([]);
  });
});

describe('F16h fetch takes the classes of the platform and of undici', () => {
  async function echo() {
    const { rotator } = await rig([{ kind: 'ok' }]);
    const server = http.createServer((request, response) => {
      const cookies = ['a=1', 'b=2'];
      response.writeHead(200, {
        'content-type': request.headers['content-type'],
        'set-cookie': cookies,
      });
      request.pipe(response);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    use({
      async close() {
        server.closeAllConnections();
        server.close();
      },
    });
    return { rotator, url: `http://127.0.0.1:${(server.address() as net.AddressInfo).port}/` };
  }

  const ways: [string, () => unknown][] = [
    ['the built-in fetch', () => {}],
    ['undici in its place', ignoring],
  ];
  const classes: [string, { FormData: typeof FormData; Request: typeof Request }][] = [
    ['global', { FormData, Request }],
    ['undici', undici as never],
  ];
  const posted = async (rotator: ProxyRotator, ...given: Parameters<ProxyRotator['fetch']>) => {
    const response = await rotator.fetch(...given);
    expect(response).toBeInstanceOf(Response);
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    return response;
  };

  for (const [way, choose] of ways) {
    for (const [whose, { FormData, Request }] of classes) {
      it(`${way}: a form of ${whose} FormData`, async () => {
        const { rotator, url } = await echo();
        choose();
        const body = new FormData();
        body.append('a', 'text');
        body.append('file', new File(['in it'], 'f.txt', { type: 'text/x' }));
        body.append('named', new Blob(['blob']), 'b.bin');
        const form = await (await posted(rotator, url, { method: 'POST', body })).formData();
        expect(form.get('a')).toBe('text');
        expect(form.get('file')).toMatchObject({ name: 'f.txt', type: 'text/x', size: 5 });
        expect(form.get('named')).toMatchObject({ name: 'b.bin', size: 4 });
      });

      it(`${way}: a request of ${whose} Request`, async () => {
        const { rotator, url } = await echo();
        choose();
        const headers = { 'content-type': 'text/x' };
        const request = new Request(url, { method: 'PUT', body: 'put', headers });
        const response = await posted(rotator, request as never);
        expect([response.headers.get('content-type'), await response.text()]).toEqual([
          'text/x',
          'put',
        ]);
        const abort = new AbortController();
        abort.abort();
        const aborted = new Request(url, { signal: abort.signal });
        expect(await errorOf(rotator.fetch(aborted as never))).toMatchObject({
          name: 'AbortError',
        });
      });
    }
  }

  it('undici in its place: a response without a body has none', async () => {
    const { rotator, target } = await rig([{ kind: 'ok' }]);
    ignoring();
    const response = await rotator.fetch(`${target.origin}/status/204`);
    expect([response.status, response.body]).toEqual([204, null]);
  });
});

describe('F16i fetchOptions', () => {
  it('gives the options of a fetch that is not ours', async () => {
    const { rotator, target, proxies, told } = await rig([{ kind: 'ok' }]);
    const options = rotator.fetchOptions({ method: 'POST', body: 'sent', retryPolicy: null });
    expect(Object.keys(options).sort()).toEqual(['body', 'dispatcher', 'method']);
    expect(await text(fetch(`${target.origin}/echo`, options))).toBe('sent');
    expect(await text(fetch(target.url, rotator.fetchOptions()))).toContain('true');
    expect(proxies[0]?.stats.requests).toBe(2);
    const pinned = rotator.with({ proxyId: 'nobody' }).fetchOptions();
    await errorOf(fetch(target.url, pinned));
    expect(told('request:end').map(({ outcome }) => outcome)).toEqual([
      'success',
      'success',
      'circuit_open',
    ]);
  });

  describe('F5 a function as a body, where the options are used otherwise', () => {
    const body = () => 'from the function';
    const options = async () => {
      const all = await rig([{ kind: 'ok' }]);
      const { rotator, target } = all;
      return {
        ...all,
        url: `${target.origin}/echo`,
        init: rotator.fetchOptions({ method: 'POST', body }),
      };
    };

    it('rotator.fetch and rotator.fetchOptions take the function out of them again', async () => {
      const { rotator, url, init } = await options();
      expect(await text(rotator.fetch(url, init))).toBe('from the function');
      expect(await text(fetch(url, rotator.fetchOptions(init)))).toBe('from the function');
    });

    it('a Request keeps the function with its dispatcher', async () => {
      const { url, init } = await options();
      expect(await text(fetch(new Request(url, init)))).toBe('from the function');
    });

    it.each(['a fetch past the pool', 'a Request that another dispatcher sends'])(
      '%s fails, and the target gets nothing in the place of the body',
      async (how) => {
        const { rotator, target, url, init } = await options();
        const { dispatcher: _, ...lost } = init as RequestInit & { dispatcher: unknown };
        const sent = how.startsWith('a fetch')
          ? fetch(url, lost)
          : rotator.fetch(new Request(url, init));
        const error = await errorOf(sent);
        expect((error.cause as Error).message).toContain('body: a function can be sent only');
        expect(target.requests).toBe(0);
      },
    );

    it('every other reader gets the same', async () => {
      const { init } = await options();
      const given = init.body as unknown as Blob;
      for (const read of [given.text(), given.arrayBuffer(), given.slice().text()]) {
        await expect(read).rejects.toThrow('body: a function can be sent only');
      }
    });
  });

  it('refuses what fetch() refuses', async () => {
    const { rotator } = await rig([]);
    expect(() => rotator.fetchOptions({ timeoutMs: 5 } as never)).toThrow(/timeoutMs/);
    expect(() => rotator.fetchOptions({ tags: 'x' } as never)).toThrow(/tags/);
  });
});
