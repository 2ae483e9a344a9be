import { adaptive, random, roundRobin } from '@whirl/selector';
import { openWire, startExitGateway, startTarget } from '@whirl/testkit';
import { describe, expect, it } from 'vitest';
import { exchange, rig, tunnelTo, use } from './support/rig.ts';
import { scripts } from './support/scripted-proxy.ts';

const hi = scripts.says('220 hi\r\n');
const auth = (username: string, password = '') =>
  `Proxy-Authorization: Basic ${Buffer.from(`${username}:${password}`).toString('base64')}\r\n`;

/** The status of a CONNECT, and its whole head. */
async function asks(port: number, fields: string): Promise<{ status: number; text: string }> {
  const wire = await tunnelTo(port, 'mail.example:110', fields);
  const text = wire.received.toString();
  const status = Number(text.slice(9, 12));
  if (status === 200) await wire.read('220 hi');
  else await wire.ended;
  wire.close();
  return { status, text: wire.received.toString() };
}

describe('W9 the username holds what is asked of the pool', () => {
  it('a proxy by its id, a tag and a region', async () => {
    const { port, proxies, rotator, connects } = await rig([hi, hi, hi]);
    const [a, b, c] = proxies.map(({ url }) => url) as [string, string, string];
    rotator.setProxies([{ url: a, tags: ['home'] }, { url: b, region: 'eu' }, c]);
    const id = encodeURIComponent(proxies[2]?.id ?? '');
    for (let i = 1; i <= 3; i++) {
      await asks(port, auth('ann-tag-home'));
      await asks(port, auth('ann-region-eu'));
      await asks(port, auth(`ann-proxy-${id}`));
      expect(connects()).toEqual([i, i, i]);
    }
  });
});

describe('W9 the exits of a provider', () => {
  it('V4 V5 session and region of a client choose one exit', async () => {
    const target = use(await startTarget());
    const provider = use(await startExitGateway());
    const { port, rotator } = await rig([]);
    const at = `${provider.host}:${provider.port}`;
    rotator.setProxies([{ url: `http://U-cc-{region}-sessid-{session}:pw@${at}`, exits: 5 }]);
    for (const asked of ['ann-session-a-region-us', 'ann-session-b-region-de']) {
      for (let i = 0; i < 3; i++) {
        const head = `GET ${target.url} HTTP/1.1\r\nHost: a\r\n${auth(asked)}`;
        const { text } = await exchange(port, `${head}Connection: close\r\n\r\n`);
        expect(text).toMatch(/^HTTP\/1.1 200/);
      }
    }
    const exits = [...provider.exits.values()].map(({ region, requests }) => [region, requests]);
    expect(exits).toEqual([
      ['us', 3],
      ['de', 3],
    ]);
  });
});

describe('W10 what is not understood is refused by name, and nothing is dialled', () => {
  it.each([
    ['ann-session-a-city-rome', 'unknown key \\"city\\"'],
    ['ann-session', 'the key \\"session\\" has no value'],
    ['ann-session-a-sid-b', 'the key \\"sid\\" is given twice'],
    ['ann-ttl-0', 'integer from 1 to 1440'],
  ])('%s', async (username, reason) => {
    const { port, connects } = await rig([hi]);
    const { status, text } = await asks(port, auth(username));
    expect(status).toBe(407);
    expect(text).toContain(reason);
    expect(text).toContain('Proxy-Authenticate: Basic');
    expect(connects()).toEqual([0]);
  });

  it('over SOCKS5 too', async () => {
    const { port, connects } = await rig([hi]);
    const wire = use(await openWire(port));
    wire.write(
      Buffer.concat([
        Buffer.from([5, 1, 2, 1, 13]),
        Buffer.from('ann-session-a'),
        Buffer.from([0]),
      ]),
    );
    expect((await wire.read(4)).toString('hex')).toBe('05020100');
    const other = use(await openWire(port));
    other.write(
      Buffer.concat([Buffer.from([5, 1, 2, 1, 11]), Buffer.from('ann-session'), Buffer.from([0])]),
    );
    await other.ended;
    expect(other.received.toString('hex')).toBe('05020101');
    expect(connects()).toEqual([0]);
  });
});

describe('W11 the password belongs to the name alone', () => {
  it('whatever is asked for', async () => {
    const { port } = await rig([hi], { auth: ['ann:s3cret', 'big-team:x'] });
    expect((await asks(port, auth('ann', 's3cret'))).status).toBe(200);
    expect((await asks(port, auth('ann-session-a%2Db-retries-2', 's3cret'))).status).toBe(200);
    expect((await asks(port, auth('big-team-session-1', 'x'))).status).toBe(200);
    expect((await asks(port, auth('ann-session-1', 'x'))).status).toBe(407);
  });
});

describe('W12 X-Whirl fields', () => {
  it('mean the same, win over the username, and never leave the gateway', async () => {
    const { port, proxies, rotator, connects } = await rig([hi, hi]);
    const [a, b] = proxies.map(({ url }) => url) as [string, string];
    rotator.setProxies([
      { url: a, region: 'eu' },
      { url: b, region: 'us' },
    ]);
    for (let i = 0; i < 3; i++) await asks(port, `${auth('ann-region-eu')}X-Whirl-Region: us\r\n`);
    expect(connects()).toEqual([0, 3]);
    expect(proxies[1]?.tunnels[0]?.head.toLowerCase()).not.toContain('x-whirl');
    expect(proxies[1]?.tunnels[0]?.head.toLowerCase()).not.toContain('proxy-authorization');
  });

  it('that are not known, or given twice, are refused', async () => {
    const { port, connects } = await rig([hi]);
    expect((await asks(port, 'X-Whirl-City: rome\r\n')).status).toBe(400);
    expect((await asks(port, 'X-Whirl-Ttl: 1\r\nX-Whirl-Ttl: 2\r\n')).status).toBe(400);
    expect(connects()).toEqual([0]);
  });

  it('do not reach the target of an absolute-form request', async () => {
    const target = use(await startTarget());
    const { port } = await rig([scripts.pass], {}, {});
    const wire = use(await openWire(port));
    wire.write(
      `GET ${target.url} HTTP/1.1\r\nHost: a\r\n${auth('ann')}X-Whirl-Session: s\r\nConnection: close\r\n\r\n`,
    );
    await wire.ended;
    const { headers } = target.received[0] ?? {};
    expect(Object.keys(headers ?? {}).filter((name) => /^(x-whirl|proxy-)/.test(name))).toEqual([]);
  });
});

describe.each([
  ['adaptive', adaptive],
  ['random', random],
  ['roundRobin', roundRobin],
])('W13 a session under %s', (_, strategy) => {
  it('keeps its proxy, for each name its own', async () => {
    const { port, connects } = await rig([hi, hi, hi, hi], {}, { strategy: strategy() });
    for (let i = 0; i < 8; i++) await asks(port, auth('ann-session-1'));
    expect(connects().filter((each) => each > 0)).toEqual([8]);
  });

  it('moves when its proxy fails, and stays there', async () => {
    const { port, proxies, connects } = await rig(
      [hi, hi, hi],
      {},
      { strategy: strategy(), circuitBreaker: false },
    );
    for (let i = 0; i < 3; i++) await asks(port, auth('ann-session-1'));
    const home = connects().indexOf(3);
    await proxies[home]?.close();
    for (let i = 0; i < 4; i++) expect((await asks(port, auth('ann-session-1'))).status).toBe(200);
    const after = connects().map((each, i) => (i === home ? 0 : each));
    expect(after.filter((each) => each > 0)).toEqual([4]);
  });
});

describe('W13 sessions', () => {
  it('of two names with one value share nothing', async () => {
    const { port, connects } = await rig([hi, hi], { auth: ['ann:x', 'bob:y'] });
    await asks(port, auth('ann-session-1', 'x'));
    await asks(port, auth('bob-session-1', 'y'));
    for (let i = 0; i < 3; i++) {
      await asks(port, auth('ann-session-1', 'x'));
      await asks(port, auth('bob-session-1', 'y'));
    }
    expect(connects()).toEqual([4, 4]);
  });

  it('that are not used for sessionIdleMs are drawn again', async () => {
    const { port, connects } = await rig([hi, hi], { sessionIdleMs: 1 });
    for (let i = 0; i < 4; i++) {
      await asks(port, auth('ann-session-1'));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(connects()).toEqual([2, 2]);
  });

  it('hold for absolute-form requests and tunnels alike', async () => {
    const target = use(await startTarget());
    const { port, rotator } = await rig([scripts.pass, scripts.pass, scripts.pass], {}, {
      tunnel: 'always',
    } as object);
    const used: string[] = [];
    rotator.bus.on('attempt:end', ({ proxyId }) => used.push(proxyId));
    for (let i = 0; i < 5; i++) {
      const wire = use(await openWire(port));
      wire.write(
        `GET ${target.url} HTTP/1.1\r\nHost: a\r\n${auth('ann-session-1')}Connection: close\r\n\r\n`,
      );
      await wire.ended;
    }
    expect(used).toHaveLength(5);
    expect(new Set(used).size).toBe(1);
  });
});

describe('W14 a region from the username', () => {
  it('is strict: without a proxy there the response is a 503 with the reason', async () => {
    const { port, proxies, rotator, connects } = await rig([hi]);
    rotator.setProxies([{ url: proxies[0]?.url as string, region: 'eu' }]);
    const { status, text } = await asks(port, auth('ann-region-jp'));
    expect(status).toBe(503);
    expect(text).toContain('no proxy has the region \\"jp\\"');
    expect(text).toContain('Proxy-Status: whirl; error=destination_unavailable');
    expect(connects()).toEqual([0]);
  });

  it('is a preference under strict-0', async () => {
    const { port, proxies, rotator, connects } = await rig([hi]);
    rotator.setProxies([{ url: proxies[0]?.url as string, region: 'eu' }]);
    expect((await asks(port, auth('ann-region-jp-strict-0'))).status).toBe(200);
    expect(connects()).toEqual([1]);
  });
});
