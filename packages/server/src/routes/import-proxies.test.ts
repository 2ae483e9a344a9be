import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { startFixture } from '../testing/fixture.ts';

const url = '/api/v1/proxies';
const type = (name: string) => ({ 'content-type': name });
const text = type('text/plain');
const lines = (
  count: number,
  of = (i: number) => `192.0.2.${i % 250}:${1 + Math.floor(i / 250)}`,
) => Array.from({ length: count }, (_, i) => of(i)).join('\n');

describe('A4b imports', () => {
  it('A4b with skip the good ones are added, and the response counts the rest', async () => {
    const { send, rotator } = await startFixture();
    const list = 'p1:1\np1:1\nbad\nsocks5://p1:1\np2:2\nann:hunter2@p3:0\n';
    const response = await send('POST', `${url}/import?on_invalid=skip`, list, text);
    expect(response.statusCode).toBe(201);
    expect(response.json()).toEqual({
      imported: 2,
      ids: ['p1:1', 'p2:2'],
      kind: 'lines',
      skipped: {
        count: 2,
        first: [
          { line: 3, reason: 'a single word is not a proxy: it has no port' },
          { line: 6, reason: '"***@p3:0" is not a proxy: its port must be 1 to 65535' },
        ],
      },
      duplicates: 1,
      conflicts: 1,
      existing: 0,
    });
    expect(rotator.proxies()).toHaveLength(2);
  });

  it('A4b without, the wrong entries are named and nothing is added', async () => {
    const { send, rotator } = await startFixture();
    const list = lines(38_002).split('\n');
    for (const at of [6, 8, 11]) list[at] = `ann:hunter2@p${at}:0`;
    const response = await send('POST', `${url}/import`, list.join('\n'), text);
    expect(response.statusCode).toBe(400);
    expect(response.json()).toMatchObject({
      error: 'invalid_proxy',
      details: { issue_count: 3, issues: [{ line: 7 }, { line: 9 }, { line: 12 }] },
    });
    expect(response.json<{ message: string }>().message).toMatch(/^3 of 38,002 lines are not/);
    expect(response.body).not.toContain('hunter2');
    expect(rotator.proxies()).toEqual([]);
  });

  it.each([
    ['text/csv', 'ip,port,protocol,country\n192.0.2.1,1080,socks5,de\n', 'csv'],
    [
      'application/x-ndjson',
      '{"ip":"192.0.2.1","port":1080,"protocol":"socks5","cc":"DE"}\n'.repeat(2),
      'json-lines',
    ],
    [
      'application/json',
      '{"data":[{"ip":"192.0.2.1","port":"1080","protocols":["socks5"],"country":"DE"}]}',
      'json',
    ],
    [
      'application/json; charset=utf-8',
      '[{"host":"192.0.2.1","port":1080,"protocol":"socks5","region":"DE"}]',
      'json',
    ],
  ])('A4b %s is a list', async (contentType, list, kind) => {
    const { send, rotator } = await startFixture();
    const response = await send('POST', `${url}/import`, list, type(contentType));
    expect(response.json()).toMatchObject({ imported: 1, kind });
    expect(rotator.proxies()).toMatchObject([{ url: 'socks5://192.0.2.1:1080', region: 'DE' }]);
  });

  it('A4b the format and the default protocol of a list can be named', async () => {
    const { send, rotator } = await startFixture();
    const query = 'format=host:port:region&default_protocol=socks4';
    const response = await send('POST', `${url}/import?${query}`, '192.0.2.1:1:de', text);
    expect(response.statusCode).toBe(201);
    expect(rotator.proxies()).toMatchObject([{ url: 'socks4://192.0.2.1:1', region: 'DE' }]);
    for (const [wrong, field] of [
      ['format=host:user', 'format: format must be a template'],
      ['on_invalid=drop', 'on_invalid: '],
      ['on_existing=keep', 'on_existing: '],
      ['default_protocol=ftp', 'default_protocol: '],
      ['onInvalid=skip', 'onInvalid: unknown field'],
    ]) {
      const refused = await send('POST', `${url}/import?${wrong}`, 'p:1', text);
      expect(refused.statusCode).toBe(400);
      expect(refused.json<{ message: string }>().message).toContain(field);
    }
  });

  it('A4b on_existing: fail, skip, or replace, which keeps what was learned', async () => {
    const { send, rotator } = await startFixture({ rotator: { proxies: ['p1:1', 'p2:2'] } });
    rotator.forceOpenCircuitBreaker('p1:1');
    const list = [{ url: 'p1:1', region: 'eu' }, 'p3:3'];
    const failed = await send('POST', `${url}/import`, list);
    expect(failed.statusCode).toBe(409);
    expect(failed.json()).toMatchObject({ details: { ids: ['p1:1'], count: 1 } });
    const skipped = await send('POST', `${url}/import?on_existing=skip`, list);
    expect(skipped.json()).toMatchObject({ imported: 1, ids: ['p3:3'], existing: 1 });
    expect(rotator.proxies()[0]?.region).toBeUndefined();
    const replaced = await send('POST', `${url}/import?on_existing=replace`, list);
    expect(replaced.json()).toMatchObject({ imported: 2, ids: ['p1:1', 'p3:3'], existing: 2 });
    expect(rotator.proxies()).toMatchObject([
      { id: 'p1:1', region: 'eu', state: 'forced_open' },
      { id: 'p2:2' },
      { id: 'p3:3' },
    ]);
  });

  it('A4b objects take what the library takes', async () => {
    const { send, rotator } = await startFixture();
    const entry = { host: '2001:db8::1', port: 1080, protocol: 'socks5h', username: 'ann' };
    const more = { password: 'hunter2', tunnel: 'always', keep_alive: false };
    const bearer = { 'Proxy-Authorization': 'Bearer hunter2' };
    const headed = { url: 'http://h:1', proxy_headers: bearer };
    const added = await send('POST', url, headed);
    expect([added.statusCode, added.body.includes('hunter2')]).toEqual([201, false]);
    expect((await send('DELETE', `${url}/h:1`)).statusCode).toBe(204);
    const one = await send('POST', url, { ...entry, ...more });
    expect(one.json()).toMatchObject({ url: 'socks5h://ann@[2001:db8::1]:1080' });
    const list = [{ ...entry, ...more, id: 'other' }];
    expect((await send('POST', `${url}/import`, list)).statusCode).toBe(201);
    expect(rotator.proxies()).toHaveLength(2);
    for (const wrong of [
      { tunnel: 'no' },
      { keep_alive: 1 },
      { protocol: 'ftp' },
      { url: 'h:1' },
      { proxy_headers: bearer },
      { protocol: 'http', proxy_headers: { 'Bearer hunter2': 'x' } },
      { protocol: 'http', proxy_headers: { hunter2: 1 } },
      { protocol: 'http', proxy_headers: 'hunter2' },
    ]) {
      const refused = await send('POST', url, { ...entry, ...more, ...wrong });
      expect(refused.statusCode).toBe(400);
      expect(refused.body).not.toContain('hunter2');
    }
  });

  it('A4b every refusal is small, however large the list was', async () => {
    const { send } = await startFixture();
    const long = 'x'.repeat(300);
    const many = lines(5000, (i) => `${long}${i}@h:1`);
    expect((await send('POST', `${url}/import`, many, text)).statusCode).toBe(201);
    const keys = Object.fromEntries(Array.from({ length: 9000 }, (_, i) => [`${long}${i}`, 1]));
    for (const [path, payload, headers, status] of [
      ['/import', many, text, 409],
      ['/import', lines(5000, (i) => `${long}${i}:x,y`), text, 400],
      ['/import', Array.from({ length: 9000 }, (_, i) => ({ [`k${i}`]: 1 })), {}, 400],
      ['/import', [{ url: 'h:2', ...keys }], {}, 400],
      ['/import', lines(200_001, () => 'h:1'), text, 413],
      ['/import', `${'\r'.repeat(200_000)}h:1`, text, 413],
      ['/import', `[${'"h:1",'.repeat(200_000)}"h:1"]`, text, 413],
    ] as const) {
      const response = await send('POST', url + path, payload, headers);
      expect(response.statusCode).toBe(status);
      expect(response.body.length).toBeLessThan(16_384);
    }
    const response = await send(
      'POST',
      url,
      Object.fromEntries(Object.entries(keys).slice(0, 800)),
    );
    expect([response.statusCode, response.body.length < 16_384]).toEqual([400, true]);
  });

  it.each(['http://ann:hunter2@h:1', 'hunter2', `${'k'.repeat(300)}hunter2`])(
    'A4b an unknown field is not shown when its name may be a secret: %s',
    async (key) => {
      const { send } = await startFixture();
      const entry = { url: 'h:1', [key]: 1 };
      for (const [path, payload, status] of [
        ['', entry, 400],
        ['/import', [entry], 400],
        ['/import?on_invalid=skip', [entry, 'h:2'], 201],
      ] as const) {
        const response = await send('POST', url + path, payload);
        expect(response.statusCode).toBe(status);
        expect(response.body).toContain('an unknown field, whose name is not shown');
        expect(response.body).not.toContain('hunter2');
      }
    },
  );

  it('A4b an id that no path can have costs its line alone', async () => {
    const { send } = await startFixture();
    const list = 'import h 80\nann:hunter2@x h 81\nmine h 82\n';
    const query = 'format=id%20host%20port';
    const refused = await send('POST', `${url}/import?${query}`, list, text);
    expect(refused.json()).toMatchObject({
      details: { issue_count: 2, issues: [{ line: 1 }, { line: 2 }] },
    });
    const skipped = await send('POST', `${url}/import?${query}&on_invalid=skip`, list, text);
    expect(skipped.json()).toMatchObject({
      ids: ['mine'],
      skipped: {
        count: 2,
        first: [
          { line: 1, reason: 'h:80: its id must not be ., .., import, unhealthy, metrics' },
          { line: 2, reason: 'h:81: its id must not hold a URL or a password' },
        ],
      },
    });
    expect(refused.body + skipped.body).not.toContain('hunter2');
  });

  it('A16b while a long list joins, requests are served and other changes wait', async () => {
    const { send, rotator } = await startFixture({ rotator: { proxies: ['p:1', 'p:2'] } });
    const list = lines(50_000);
    const order: string[] = [];
    const settled = (name: string, response: Promise<{ statusCode: number }>) =>
      response.then(({ statusCode }) => order.push(`${name} ${statusCode}`));
    const importing = settled('import', send('POST', `${url}/import`, list, text));
    while (rotator.proxies().length === 2) await new Promise(setImmediate);
    // The list has begun to join; its last line has not.
    const [last = ''] = list.split('\n').slice(-1);
    expect(rotator.hasProxy(last)).toBe(false);
    const others = [
      settled('same id', send('POST', url, { url: last })),
      settled('remove', send('DELETE', `${url}/p:2`)),
      settled('import again', send('POST', `${url}/import`, last, text)),
    ];
    await settled('one', send('GET', `${url}/p:1`));
    await Promise.all([importing, ...others]);
    expect(order.slice(0, 2)).toEqual(['one 200', 'import 201']);
    expect(order.slice(2).sort()).toEqual(['import again 409', 'remove 204', 'same id 409']);
    expect(rotator.proxies()).toHaveLength(50_001);
  });

  it('A16b while a long list is read, other requests are served', async () => {
    const { app, rotator } = await startFixture();
    await app.listen({ port: 0, host: '127.0.0.1' });
    const { port } = app.server.address() as AddressInfo;
    // Nothing of it is a proxy, so that there is reading alone.
    const list = lines(200_000, (i) => `192.0.2.1:0:u${i}`);
    let answered = 0;
    let reading = true;
    const imported = app
      .inject({ method: 'POST', url: `${url}/import`, payload: list, headers: text })
      .finally(() => (reading = false));
    while (reading) {
      await new Promise<void>((resolve, reject) => {
        http
          .get({ port, host: '127.0.0.1', path: '/health' }, (response) =>
            response.resume().on('end', resolve),
          )
          .on('error', reject);
      });
      if (reading) answered++;
    }
    expect((await imported).statusCode).toBe(400);
    expect(answered).toBeGreaterThan(10);
    expect(rotator.proxies()).toEqual([]);
  });
});
