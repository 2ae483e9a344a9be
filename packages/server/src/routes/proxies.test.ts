import { describe, expect, it } from 'vitest';
import { startFixture } from '../testing/fixture.ts';

const url = '/api/v1/proxies';
const json = { 'content-type': 'application/json' };
const text = { 'content-type': 'text/plain' };
const idsOf = async (send: Awaited<ReturnType<typeof startFixture>>['send']) =>
  (await send('GET', url)).json<{ proxies: { id: string }[] }>().proxies.map(({ id }) => id);

describe('A4 the pool', () => {
  it('A4 a proxy is added, shown without its password, and removed', async () => {
    const { send, rotator } = await startFixture();
    const added = await send('POST', url, {
      url: 'http://bob:hunter2@proxy.example.com:8080',
      region: 'eu',
      tags: ['fast'],
      weight: 3,
    });
    expect(added.statusCode).toBe(201);
    expect(added.headers.location).toBe('/api/v1/proxies/bob%40proxy.example.com%3A8080');
    const proxy = {
      id: 'bob@proxy.example.com:8080',
      url: 'http://bob@proxy.example.com:8080',
      region: 'eu',
      tags: ['fast'],
      weight: 3,
      state: 'closed',
      avg_latency: null,
      in_flight: 0,
    };
    expect(added.json()).toMatchObject(proxy);
    expect((await send('GET', url)).json()).toMatchObject({ proxies: [proxy] });
    expect((await send('GET', String(added.headers.location))).json()).toMatchObject(proxy);
    expect(added.body).not.toContain('hunter2');
    const removed = await send('DELETE', `${url}/bob@proxy.example.com:8080`);
    expect([removed.statusCode, removed.body]).toEqual([204, '']);
    expect(rotator.proxies()).toEqual([]);
    expect((await send('DELETE', `${url}/bob@proxy.example.com:8080`)).statusCode).toBe(404);
    expect((await send('GET', `${url}/bob@proxy.example.com:8080`)).statusCode).toBe(404);
  });

  it('V7 a gateway is added, and shown once with its exits folded', async () => {
    const { send } = await startFixture();
    const added = await send('POST', url, {
      url: 'http://U-sessid-{session}:hunter2@gate.example.com:7777',
      exits: 20,
      session_ttl: 600,
      renew_per_minute: 30,
    });
    expect(added.statusCode).toBe(201);
    expect(added.json()).toMatchObject({
      id: 'gate.example.com:7777',
      url: 'http://U-sessid-{session}@gate.example.com:7777',
      state: 'closed',
      group: { name: 'gate.example.com', state: 'closed', size: 20, failure_count: 0 },
      exits: { count: 20, available: 20, renewed: 0, regions: [] },
    });
    expect(added.body).not.toContain('hunter2');
    const list = (await send('GET', url)).json<{ proxies: unknown[]; total: number }>();
    expect([list.proxies.length, list.total]).toEqual([1, 1]);
    const exit = await send('GET', `${url}/${encodeURIComponent('gate.example.com:7777/3')}`);
    expect(exit.json()).toMatchObject({ id: 'gate.example.com:7777/3', state: 'closed' });
    const circuits = await send('GET', '/api/v1/circuit-breakers/gate.example.com:7777');
    expect(circuits.json()).toMatchObject({ proxy_id: 'gate.example.com:7777', state: 'closed' });
    expect((await send('DELETE', `${url}/gate.example.com:7777`)).statusCode).toBe(204);
    expect((await send('GET', url)).json()).toMatchObject({ proxies: [] });
  });

  it('V9 a provider is named in place of an address; ordinary proxies may be in a group', async () => {
    const { send } = await startFixture();
    const added = await send('POST', url, {
      ...{ provider: 'oxylabs', username: 'ann', password: 'hunter2', country: 'us', exits: 2 },
    });
    expect(added.json()).toMatchObject({
      id: 'pr.oxylabs.io:7777',
      url: 'http://customer-ann-cc-us-sessid-{session}@pr.oxylabs.io:7777',
      region: 'US',
    });
    const port = await send('POST', url, { url: 'http://dc.example.com:8001', group: 'dc' });
    expect(port.json()).toMatchObject({ group: { name: 'dc', size: 1 } });
    const bad = await send('POST', url, { url: 'http://u-{sesion}:p@h.example.com:1' });
    expect(bad.json()).toMatchObject({ error: 'invalid_proxy' });
    expect(bad.body).toContain('did you mean {session}?');
  });

  it('A4 the same id twice is a 409', async () => {
    const { send } = await startFixture();
    await send('POST', url, { url: 'p1.example.com:8080', id: 'one' });
    const again = await send('POST', url, { url: 'p2.example.com:8080', id: 'one' });
    expect(again.statusCode).toBe(409);
    expect(again.json()).toMatchObject({ error: 'proxy_exists', details: { ids: ['one'] } });
  });

  it.each([
    [{ url: 'ftp://bob:hunter2@p:1' }, 'invalid_proxy'],
    [{ url: 'http://bob:hunter2@p:99999' }, 'invalid_proxy'],
    [{ url: '' }, 'invalid_input'],
    [{}, 'invalid_input'],
    [{ url: 'p:1', weight: -1 }, 'invalid_input'],
    [{ url: 'p:1', id: 'unhealthy' }, 'invalid_input'],
    [{ url: 'p:1', id: 'a\nb' }, 'invalid_input'],
    [{ url: 'p:1', id: 'http://bob:hunter2@p:1' }, 'invalid_input'],
    [{ url: 'p:1', id: 'bob:hunter2@p' }, 'invalid_input'],
    [{ url: 'p:1', nope: 1 }, 'invalid_input'],
    [{ url: 'p:1', id: 'a\ud800' }, 'invalid_input'],
    [{ url: 'p:1:\ud800:hunter2' }, 'invalid_proxy'],
    [{ url: 'p:1:bob:hunter2\udc00' }, 'invalid_proxy'],
    ['text', 'invalid_input'],
  ])('A4 %j is refused, without its password', async (payload, error) => {
    const { send } = await startFixture();
    const response = await send('POST', url, JSON.stringify(payload), json);
    expect(response.statusCode).toBe(400);
    expect(response.json()).toMatchObject({ error });
    expect(response.body).not.toContain('hunter2');
    expect(await idsOf(send)).toEqual([]);
  });

  it('A4 a list is imported from text, from strings and from objects', async () => {
    const { send, rotator } = await startFixture();
    const fromText = await send(
      'POST',
      `${url}/import`,
      '# ours\np1:8080\n\nsocks5://u:p%40ss@p2:1080 # far\n',
      text,
    );
    expect(fromText.statusCode).toBe(201);
    expect(fromText.json()).toEqual({
      imported: 2,
      ids: ['p1:8080', 'u@p2:1080'],
      kind: 'lines',
      skipped: { count: 0, first: [] },
      duplicates: 0,
      conflicts: 0,
      existing: 0,
    });
    const fromJson = await send('POST', `${url}/import`, [
      'p3:8080',
      { url: 'p4:8080', id: 'four', region: 'us', max_concurrent: 2 },
    ]);
    expect(fromJson.json()).toMatchObject({ imported: 2, ids: ['p3:8080', 'four'], kind: 'json' });
    expect(await idsOf(send)).toEqual(['four', 'p1:8080', 'p3:8080', 'u@p2:1080']);
    expect(rotator.proxies()[3]).toMatchObject({ region: 'us' });
  });

  it.each([
    ['an error in a line', 'p1:8080\nnonsense\n', text, 400, 'line 2'],
    ['one id for two proxies', 'p1:8080\nsocks5://p1:8080\n', text, 400, 'line 1 and line 2'],
    ['a proxy that is there', 'p1:8080\nhere:8080\n', text, 409, '"here:8080"'],
    ['a number in the list', '["p1:8080", 7]', json, 400, 'entry 2: an entry must be a text'],
    ['a port beside a url', '["p1:8080", {"url":"p2:1","port":3}]', json, 400, 'go with host'],
    ['an unknown field', '["p1:8080", {"url":"p2:1","nope":3}]', json, 400, 'nope: unknown field'],
    ['half a character', JSON.stringify(['p1:8080', 'p2:1:\ud800:p']), json, 400, 'well-formed'],
    [
      'half a character in a text',
      JSON.stringify(['p1:8080', { url: 'p2:1', id: '\udc00' }]),
      text,
      400,
      'well-formed',
    ],
    ['an object', '{"url":"p1:8080"}', json, 400, 'a list is an array'],
    ['no list at all', '', json, 400, 'expected a list of proxies'],
    ['broken JSON', '["p1:8080", ', json, 400, 'begins like JSON'],
  ])('A4 an import with %s changes nothing', async (_name, payload, headers, status, message) => {
    const { send } = await startFixture();
    await send('POST', url, { url: 'here:8080' });
    const response = await send('POST', `${url}/import`, payload, headers);
    expect(response.statusCode).toBe(status);
    expect(response.json<{ message: string }>().message).toContain(message);
    expect(await idsOf(send)).toEqual(['here:8080']);
  });

  it.each([
    ['a word of the API as id', { url: 'p2:1', id: 'unhealthy' }, 'id: must not be'],
    ['a password in an id', { url: 'p2:1', id: 'http://bob:hunter2@p2:1' }, 'id: must not hold'],
    ['a control character', { url: 'p2:1', id: 'x\u0000y' }, 'id: must not hold control'],
    [
      'the name of a TypeScript option',
      { url: 'p2:1', maxConcurrent: 2 },
      'maxConcurrent: unknown',
    ],
    ['a bound that is none', { url: 'p2:1', max_concurrent: 0 }, 'max_concurrent: '],
    ['something else', 7, 'must be a text or an object'],
  ])('A4 JSON sent as text follows the same rules: %s is refused', async (_name, entry, why) => {
    const { send } = await startFixture();
    const list = JSON.stringify(['p1:8080', entry]);
    const response = await send('POST', `${url}/import`, list, text);
    expect(response.statusCode).toBe(400);
    const { error, message } = response.json<{ error: string; message: string }>();
    expect(error).toBe('invalid_proxy');
    expect(message).toContain('entry 2: ');
    expect(message).toContain(why);
    expect(message).not.toContain('hunter2');
    expect(await idsOf(send)).toEqual([]);
  });

  it('A4 JSON sent as text is imported like JSON; what is written twice counts once', async () => {
    const { send, rotator } = await startFixture();
    const four = { url: 'p4:8080', id: 'four', region: 'us', max_concurrent: 2 };
    const list = JSON.stringify(['p3:8080', four, 'p3:8080', four]);
    const response = await send('POST', `${url}/import`, `\uFEFF${list}`, text);
    expect(response.json()).toMatchObject({
      imported: 2,
      ids: ['p3:8080', 'four'],
      kind: 'json',
      duplicates: 2,
    });
    expect(rotator.proxies()[1]).toMatchObject({ region: 'us' });
    const twice = ['p5:1', { url: 'p6:1', id: 'p5:1' }];
    expect((await send('POST', `${url}/import`, twice)).json<{ message: string }>().message).toBe(
      'entry 1 and entry 2 are different proxies with one id, for p5:1 and p6:1: give one an id',
    );
  });

  it('A4 a user name makes an id of any length, and nothing is refused half-way', async () => {
    const { send } = await startFixture();
    const user = 'u'.repeat(300);
    const response = await send('POST', `${url}/import`, ['p1:8080', `p2:8080:${user}:p`]);
    expect(response.json()).toMatchObject({
      imported: 2,
      ids: ['p1:8080', `${user}@p2:8080`],
    });
  });

  it('A4 unhealthy proxies are removed together', async () => {
    const { send, rotator } = await startFixture({
      rotator: { proxies: ['p1:1', 'p2:2', 'p3:3'] },
    });
    rotator.forceOpenCircuitBreaker('p2:2');
    expect((await send('DELETE', `${url}/unhealthy`)).json()).toEqual({ removed: ['p2:2'] });
    expect(await idsOf(send)).toEqual(['p1:1', 'p3:3']);
  });
});
