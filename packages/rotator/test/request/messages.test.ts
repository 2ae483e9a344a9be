import { once } from 'node:events';
import net from 'node:net';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { ProxyRotator, RetriesExhaustedError } from '../../src/index.ts';
import { errorOf, fast, rig } from '../support/pool-rig.ts';
import { use } from '../support/rig.ts';
import { nearestName } from '@whirl/check';

const message = (make: () => unknown): string => {
  try {
    make();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('it was not refused');
};

describe('F23 messages say why', () => {
  it('of each attempt, with what was to blame for it', async () => {
    const { rotator, target } = await rig([{ kind: 'refuse' }, { kind: 'reset' }]);
    const [first, second] = rotator.proxies().map(({ id }) => id);
    const error = (await errorOf(rotator.get(target.url))) as unknown as RetriesExhaustedError;
    expect(error).toBeInstanceOf(RetriesExhaustedError);
    expect(error.message).toMatch(/^gave up after 3 attempts: /);
    expect(
      error.message
        .split(/: (?=127)|; /)
        .slice(1, 3)
        .sort(),
    ).toEqual(
      [
        `${first} refused the connection (tcp)`,
        `${second}: connection lost before the response headers (ECONNRESET)`,
      ].sort(),
    );
    expect(error.attempts.map(({ blame }) => typeof blame)).toEqual(['string', 'string', 'string']);
    expect(error.attempts.find(({ proxyId }) => proxyId === first)).toMatchObject({
      blame: 'proxy',
      message: `${first} refused the connection (tcp)`,
    });
  });

  it('of a deadline that was over before all attempts were', async () => {
    const { rotator, target } = await rig([{ kind: 'refuse' }], {
      retryPolicy: { ...fast, timeoutMs: 90 },
    });
    const [first] = rotator.proxies().map(({ id }) => id);
    const error = await errorOf(rotator.get(target.url));
    expect(error.message).toContain(
      `the request did not end within 90 ms: ${first} refused the connection (tcp)`,
    );
  });

  it('a good attempt has no message and blames none', async () => {
    const { rotator, target } = await rig([{ kind: 'ok' }]);
    const response = await rotator.get(target.url);
    await response.body.dump();
    expect(response.attempts).toMatchObject([{ blame: 'none', message: undefined }]);
  });

  it('an attempt that waits for unread bodies has that in its error, and the logger warns once per proxy', async () => {
    const warnings: unknown[][] = [];
    const write = () => {};
    const { rotator, target } = await rig([{ kind: 'ok' }], {
      connections: 2,
      logger: {
        debug: write,
        info: write,
        error: write,
        warn: (...line) => {
          if (line[1].includes('unread')) warnings.push(line);
        },
      },
    });
    const [id] = rotator.proxies().map((proxy) => proxy.id);
    const unread = [
      await rotator.get(`${target.origin}/bytes/1000000`),
      await rotator.get(`${target.origin}/bytes/1000000`),
    ];
    for (let i = 0; i < 2; i++) {
      const retryPolicy = { maxAttempts: 1, attemptTimeoutMs: 100 };
      const error = await errorOf(rotator.get(target.url, { retryPolicy }));
      expect(error.message).toContain(
        `no connection through ${id} became free within 100 ms (select): ` +
          '2 of them are held by responses whose bodies were not read to the end',
      );
    }
    expect(warnings.map(([object]) => object)).toEqual([{ proxyId: id, unread: 2 }]);
    for (const { body } of unread) body.on('error', () => {}).destroy();
  });
});

describe('F23 an unknown option names the nearest known one, with its path', () => {
  it.each([
    [{ proxy: [] }, 'unknown option "proxy"'],
    [{ retrypolicy: {} }, 'unknown option "retrypolicy": did you mean "retryPolicy"?'],
    [
      { circuitBreaker: { failureTreshold: 1 } },
      'unknown option "circuitBreaker.failureTreshold": did you mean "failureThreshold"?',
    ],
    [{ budget: { ration: 1 } }, 'unknown option "budget.ration": did you mean "ratio"?'],
    [{ hedge: { afterMS: 1 } }, 'unknown option "hedge.afterMS": did you mean "afterMs"?'],
    [
      { healthCheck: { url: 'http://h/', interval: 1 } },
      'unknown option "healthCheck.interval": did you mean "intervalMs"?',
    ],
    [
      { tls: { rejectUnauthorised: false } },
      'unknown option "tls.rejectUnauthorised": did you mean "rejectUnauthorized"?',
    ],
    [{ proxyTls: { passphrase: 'x' } }, 'unknown option "proxyTls.passphrase"'],
    [
      { retryPolicy: { maxAttemps: 2 } },
      'invalid retry policy: maxAttemps: unknown field: did you mean "maxAttempts"?',
    ],
    [
      { proxies: [{ url: 'h:1', passwort: 'hunter2' }] },
      'unknown option "proxy.passwort": did you mean "password"?',
    ],
  ])('%j', (options, expected) => {
    const said = message(() => new ProxyRotator(options as never));
    expect(said).toContain(expected);
    expect(said).not.toContain('hunter2');
  });

  it('of a request, of a view and of close() too', async () => {
    const { rotator, target } = await rig([{ kind: 'ok' }]);
    const asked = rotator.get(target.url, { sesionId: 's' } as never);
    expect((await errorOf(asked)).message).toBe(
      'unknown option "sesionId": did you mean "sessionId"?',
    );
    const header = rotator.get(target.url, { header: {} } as never);
    expect((await errorOf(header)).message).toBe(
      'unknown option "header": did you mean "headers"?',
    );
    const timed = rotator.get(target.url, { timeoutMs: 5 } as never);
    expect((await errorOf(timed)).message).toBe(
      'unknown option "timeoutMs": did you mean "retryPolicy.timeoutMs"?',
    );
    expect(message(() => rotator.with({ timeout: 5 } as never))).toBe(
      'unknown option "timeout": did you mean "retryPolicy.timeoutMs"?',
    );
    expect(message(() => rotator.with({ regoin: 'EU' } as never))).toContain(
      'did you mean "region"',
    );
    expect((await errorOf(rotator.close({ gracems: 5 } as never))).message).toBe(
      'unknown option "gracems": did you mean "graceMs"?',
    );
    expect((await errorOf(rotator.close(5 as never))).message).toBe(
      'options must be an object, got 5',
    );
    // Nothing was closed.
    await (await rotator.get(target.url)).body.dump();
  });

  it('names that are not alike are not guessed', () => {
    const known = ['now', 'bus', 'tls', 'timeoutMs', 'attemptTimeoutMs'];
    expect(nearestName('how', known)).toBe('now');
    expect(nearestName('xy', known)).toBeUndefined();
    expect(nearestName('timeout', known)).toBe('timeoutMs');
    expect(nearestName('something', known)).toBeUndefined();
    expect(nearestName('x'.repeat(1_000_000), known)).toBeUndefined();
  });
});

describe('F23 no password is shown', () => {
  const secret = 'http://user:hunter2@h:1';

  it.each([
    secret,
    { retryPolicy: secret },
    { retryPolicy: { backoffStrategy: secret } },
    { retryPolicy: { name: [secret] } },
    { strategy: secret },
    { strategy: { name: [secret] } },
    { strategy: { name: 'own', pick: secret } },
    { banRules: secret },
    { banRules: [secret] },
    { banRules: [{ name: [secret] }] },
    { contrast: secret },
    { targetDown: secret },
    { maxLiveProxies: secret },
    { maxHeaderSize: secret },
    { maxHeaderSize: [secret] },
    { now: secret },
    { random: secret },
    { logger: secret },
    { eventSource: { maxEventSize: secret } },
    { tunnel: secret },
    { keepAlive: secret },
    { connections: secret },
    { connections: [secret] },
    { tls: secret },
    { tls: { servername: [secret] } },
    { proxyTls: { rejectUnauthorized: secret } },
    { healthCheck: secret },
    { healthCheck: { url: 'http://h/', intervalMs: secret } },
    { hedge: { afterMs: secret } },
    { budget: secret },
    { bus: secret },
    { metrics: secret },
    { circuitBreaker: secret },
    { circuitBreaker: { openMs: secret } },
    { budget: { ratio: secret } },
    { queueTimeoutMs: secret },
    { webSocket: secret },
    { proxyHeaders: secret },
    { proxies: [{ url: 'h:1', region: secret, id: [secret] }] },
    { proxies: [{ url: 'h:1', weight: secret }] },
    { proxies: [{ host: 'h', port: secret }] },
    { proxies: [{ url: [secret] }] },
  ])('in the refusal of %j', (options) => {
    expect(message(() => new ProxyRotator(options as never))).not.toContain('hunter2');
  });

  it('in the refusal of a request', async () => {
    const { rotator, target } = await rig([{ kind: 'ok' }]);
    for (const options of [
      { sessionId: [secret] },
      { tags: secret },
      { signal: secret },
      { region: { secret } },
      { headers: secret },
      { method: secret },
      { body: 5, proxyId: secret },
    ]) {
      const error = await errorOf(rotator.request(target.url, options as never));
      expect(inspect(error, { depth: Infinity })).not.toContain('hunter2');
    }
  });

  it('in the refusal of a URL', async () => {
    const { rotator, target } = await rig([{ kind: 'ok' }]);
    for (const url of ['http://user:hunter2@h/', '//user:hunter2@h/']) {
      for (const given of [url, { toString: () => url }]) {
        for (const asked of [rotator.get(given as never), rotator.fetch(given as never)]) {
          const error = await errorOf(asked);
          expect(error).toMatchObject({ code: 'INVALID_REQUEST' });
          expect(inspect(error, { depth: Infinity, showHidden: true })).not.toContain('hunter2');
        }
      }
    }
    // What never goes to the network is left to fetch.
    expect(await (await rotator.fetch('data:,text')).text()).toBe('text');
    expect(() => rotator.targets({ limit: secret as never })).toThrow(/got a string/);
    await (await rotator.fetch(new URL(target.url))).text();
  });

  it('in an HTTPParserError, which quotes what a proxy or a target sent', async () => {
    const server = net.createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', (chunk) =>
        socket.end(`HTTP/1.1 200 OK\r\nbroken\u0000 ${chunk.toString()}`),
      );
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    use({ close: async () => void server.close() });
    const { port } = server.address() as net.AddressInfo;
    const rotator = new ProxyRotator({
      proxies: [`http://user:hunter2@127.0.0.1:${port}`],
      retryPolicy: null,
    });
    use({ close: () => rotator.destroy() });
    const headers = { authorization: 'Bearer token-17', cookie: 'session=18' };
    const error = await errorOf(rotator.get('http://t.test/', { headers }));
    let parser: unknown = error;
    while ((parser as Error).name !== 'HTTPParserError') parser = (parser as Error).cause;
    expect((parser as { data?: string }).data).toContain('***');
    const basic = Buffer.from('user:hunter2').toString('base64');
    for (const seen of [error, rotator, rotator.proxies(), rotator.dispatcher]) {
      const shown = inspect(seen, { depth: Infinity, showHidden: true }) + JSON.stringify(seen);
      for (const word of ['hunter2', basic, 'token-17', 'session=18']) {
        expect(shown).not.toContain(word);
      }
    }
  });
});
