import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { startProxy, startTarget } from '@whirl/testkit';
import { describe, expect, it, vi } from 'vitest';
import { blameWorld } from '../support/blame-world.ts';
import type { RequestBody } from '../../src/index.ts';
import { errorOf, fast, rig } from '../support/pool-rig.ts';
import { startRotator, use } from '../support/rig.ts';

/** Makes every dial fail with an errno of this machine until it is undone. */
function breakDials(code: string): () => void {
  const spy = vi.spyOn(net, 'connect').mockImplementation((() => {
    const socket = new net.Socket();
    const error = Object.assign(new Error(`connect ${code}`), { code, syscall: 'connect' });
    process.nextTick(() => socket.destroy(error));
    return socket;
  }) as never);
  return () => spy.mockRestore();
}

/** Holds the event loop up. */
function block(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

describe('E1 what goes wrong here', () => {
  for (const code of [
    'EMFILE',
    'ENFILE',
    'ENOBUFS',
    'EADDRNOTAVAIL',
    'EACCES',
    'EPERM',
    'EAI_AGAIN',
  ]) {
    it(`E1 ${code} is the caller's: it opens nothing, teaches nothing, and the request is tried again`, async () => {
      const { rotator, target, told } = await rig([{ kind: 'ok' }, { kind: 'ok' }], {
        circuitBreaker: { failureThreshold: 1 },
      });
      const undo = breakDials(code);
      rotator.bus.once('retry:scheduled', undo);
      try {
        const response = await rotator.get(target.url);
        await response.body.dump();
        expect(response.statusCode).toBe(200);
      } finally {
        undo();
      }
      expect(told('attempt:end').map(({ blame, outcome }) => [blame, outcome])).toEqual([
        ['caller', 'failure'],
        ['none', 'success'],
      ]);
      expect(told('circuit:transition')).toEqual([]);
    });
  }

  it('E1 ENETUNREACH is the caller’s while nothing works, and the proxy’s once others respond', async () => {
    const { rotator, target, proxies, told } = await rig([{ kind: 'ok' }, { kind: 'ok' }], {
      retryPolicy: null,
    });
    const [broken, fine] = proxies.map(({ id }) => id);
    const fail = async () => {
      const undo = breakDials('ENETUNREACH');
      try {
        await errorOf(rotator.get(target.url, { proxyId: broken }));
      } finally {
        undo();
      }
    };
    for (let i = 0; i < 3; i++) await fail();
    await (await rotator.get(target.url, { proxyId: fine })).body.dump();
    await fail();
    await fail();
    expect(told('attempt:end').map(({ blame }) => blame)).toEqual([
      'caller',
      'caller',
      'caller',
      'none',
      'proxy',
      'caller',
    ]);
  });

  it.each(['a generator', 'a stream', 'a function'])(
    "E1 %s that gives no more of the body in time is the caller's",
    async (kind) => {
      const { rotator, target, told } = await rig([{ kind: 'ok' }], {
        circuitBreaker: { failureThreshold: 1 },
        retryPolicy: { maxAttempts: 1, attemptTimeoutMs: 100 },
      });
      const source = async function* () {
        yield 'some';
        await new Promise(() => {});
      };
      const body = {
        'a generator': source,
        'a stream': () => Readable.from(source()),
        'a function': () => source,
      }[kind] as () => RequestBody;
      const error = await errorOf(rotator.put(target.url, { body: body() }));
      expect(error.cause).toMatchObject({
        code: 'ATTEMPT_TIMEOUT',
        message: expect.stringContaining('no more of the request body'),
      });
      expect(told('attempt:end')).toMatchObject([{ outcome: 'timeout', blame: 'caller' }]);
      expect(told('circuit:transition')).toEqual([]);
    },
  );

  it('E1 a proxy that takes no more of the body is not spared for that', async () => {
    const deaf = net.createServer((socket) => socket.on('error', () => {}).pause());
    deaf.listen(0, '127.0.0.1');
    await once(deaf, 'listening');
    use({ close: () => deaf.close() });
    const { port } = deaf.address() as AddressInfo;
    const rotator = startRotator({
      proxies: [`http://127.0.0.1:${port}`],
      retryPolicy: { maxAttempts: 1, attemptTimeoutMs: 300 },
    });
    const body = (function* () {
      for (;;) yield Buffer.alloc(65_536);
    })();
    const error = await errorOf(rotator.put('http://target.test/', { body }));
    // Not its blame, which is the caller's on a machine that is late.
    expect((error.cause as Error).message).toContain('no response headers');
  });

  it('E1 a loop that was blocked for 2.5 s judges no proxy', async () => {
    const { rotator, target, told } = await rig(
      [
        { kind: 'ok', latencyMs: 50 },
        { kind: 'ok', latencyMs: 50 },
      ],
      {
        retryPolicy: { ...fast, attemptTimeoutMs: 2000 },
        circuitBreaker: { failureThreshold: 1 },
      },
    );
    // The beat of the lag is under way before the loop stops.
    const running = Array.from({ length: 4 }, async () => {
      const response = await rotator.get(target.url);
      await response.body.dump();
      return response.statusCode;
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    block(2500);
    expect(await Promise.all(running)).toEqual([200, 200, 200, 200]);
    const blames = told('attempt:end').map(({ blame }) => blame);
    expect(blames.filter((blame) => blame !== 'none' && blame !== 'caller')).toEqual([]);
    expect(told('circuit:transition')).toEqual([]);
  });

  it('E1 connectTimeoutMs that passes in a loop that was blocked judges no proxy', async () => {
    const { rotator, target, told, next } = await rig([{ kind: 'hang' }], {
      retryPolicy: { maxAttempts: 1, connectTimeoutMs: 300 },
      tunnel: 'always',
    });
    const begun = next('attempt:start');
    const failed = errorOf(rotator.get(target.url));
    await begun;
    setTimeout(() => block(200), 20);
    expect((await failed).cause).toMatchObject({ code: 'ATTEMPT_TIMEOUT', phase: 'connect' });
    expect(told('attempt:end')).toMatchObject([
      { outcome: 'timeout', phase: 'connect', blame: 'caller' },
    ]);
  });

  it('E1 bodyTimeoutMs that passes in a loop that was blocked judges no proxy', async () => {
    const world = await blameWorld(
      1,
      {
        'part.test': {
          request: (_, response) => {
            response.writeHead(200, { 'content-length': 1000 });
            response.write('a part');
          },
        },
      },
      { retryPolicy: { maxAttempts: 1, bodyTimeoutMs: 300 } },
    );
    try {
      const { body } = await world.rotator.get('http://part.test/');
      const failed = errorOf(body.text());
      setTimeout(() => block(200), 50);
      expect(await failed).toMatchObject({ code: 'ATTEMPT_TIMEOUT', phase: 'body' });
      expect(world.ends).toMatchObject([{ outcome: 'timeout', phase: 'body', blame: 'caller' }]);
    } finally {
      await world.close();
    }
  });

  it('E1 a health check whose time passes in a loop that was blocked judges no proxy', async () => {
    const { rotator, target, proxies, next } = await rig([{ kind: 'reset' }], {
      circuitBreaker: { failureThreshold: 1, openMs: 20, probeLeaseMs: 60_000 },
      retryPolicy: null,
      healthCheck: { url: 'http://127.0.0.1:9/', intervalMs: 10, timeoutMs: 300 },
    });
    await errorOf(rotator.get(target.url));
    await proxies[0]?.behave({ kind: 'hang' });
    const checked = next('health:checked');
    await expect.poll(() => proxies[0]?.openSockets(), { interval: 5 }).toBe(1);
    block(200);
    expect(await checked).toMatchObject({ outcome: 'aborted' });
  });

  it('E1 without descriptors left (a limit of 256) no circuit opens', async () => {
    const target = use(await startTarget());
    const proxies = await Promise.all(
      Array.from({ length: 4 }, async () =>
        use(await startProxy({ behaviour: { kind: 'ok', latencyMs: 30 } })),
      ),
    );
    const script = fileURLToPath(new URL('../support/few-descriptors.ts', import.meta.url));
    const tsx = import.meta.resolve('tsx');
    const child = spawn(
      'sh',
      [
        '-c',
        `ulimit -n 256 && exec "$0" --import "$1" --conditions=@whirl/source "$2" "$3" "$4"`,
        process.execPath,
        tsx,
        script,
        target.url,
        proxies.map(({ url }) => url).join(','),
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const [exit] = (await once(child, 'close')) as [number];
    expect(exit).toBe(0);
    const { blames, transitions, later } = JSON.parse(output) as {
      blames: Record<string, number>;
      transitions: number;
      later: number;
    };
    expect(blames['caller']).toBeGreaterThan(0);
    expect([blames['proxy'] ?? 0, blames['target'] ?? 0, transitions]).toEqual([0, 0, 0]);
    expect(later).toBe(200);
  });

  it('E1 the timer of the lag ends with the attempts', async () => {
    const { rotator, target } = await rig([{ kind: 'ok' }]);
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout');
    await (await rotator.get(target.url)).body.dump();
    await rotator.destroy();
    const before = timers().length;
    expect(startRotator({ proxies: ['h:1'] }).targets()).toEqual([]);
    expect(timers().length).toBe(before);
  });
});
