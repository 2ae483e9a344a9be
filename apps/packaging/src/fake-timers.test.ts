import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installed, packAll, run, tarballsFor } from './packed.ts';

let folder: string;
let tarballs: string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'whirl-fake-timers-'));
  const packed = await packAll(folder);
  tarballs = [
    ...new Set(
      ['@whirl/circuit-breaker', '@whirl/backoff'].flatMap((name) => tarballsFor(name, packed)),
    ),
  ];
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** A project with these packages beside ours. */
async function project(name: string, ...others: string[]): Promise<string> {
  const at = await installed(join(folder, name), tarballs);
  if (others.length > 0) {
    await run(at, 'npm', 'install', '--no-audit', '--no-fund', '--prefer-offline', ...others);
  }
  return at;
}

/** Opens a circuit, and is admitted when `advance` has taken its open time; a retry waits meanwhile. */
const story = `
  const breaker = new CircuitBreaker({ openMs: 10_000 });
  breaker.trip();
  const opened = breaker.nextTestAt;
  const refused = breaker.acquire();
  let attempts = 0;
  const retried = retry(() => (++attempts < 3 ? Promise.reject(new Error('no')) : 'up'), {
    timeoutMs: 60_000,
  });
  await advance(10_000);
  const facts = [Number.isFinite(opened), refused, breaker.acquire() > 0, await retried];`;
const told = [true, 0, true, 'up'];

describe('K20c fake timers break no clock', () => {
  it.each(['29.7.0', '30.2.0'])(
    'of jest %s, installed by a test and before the package is loaded',
    async (version) => {
      const at = await project(`jest-${version}`, `jest@${version}`);
      const test = `
        test('virtual time', async () => {
          if (!globally) jest.useFakeTimers();
          const { CircuitBreaker } = require('@whirl/circuit-breaker');
          const { retry } = require('@whirl/backoff');
          const advance = (ms) => jest.advanceTimersByTimeAsync(ms);
          ${story}
          expect(facts).toEqual(${JSON.stringify(told)});
        });`;
      for (const globally of [false, true]) {
        const early = globally
          ? ''
          : `require('@whirl/circuit-breaker');require('@whirl/backoff');`;
        await writeFile(
          join(at, 'fake.test.js'),
          `const globally = ${String(globally)};${early}${test}`,
        );
        const config = { testEnvironment: 'node', fakeTimers: { enableGlobally: globally } };
        await run(
          at,
          process.execPath,
          'node_modules/jest/bin/jest.js',
          '--config',
          JSON.stringify(config),
        );
      }
    },
  );

  it('of sinon, installed before and after the package is loaded', async () => {
    const at = await project('sinon', 'sinon@21.0.0');
    for (const load of ['before', 'after']) {
      const parts = [
        `const { CircuitBreaker } = await import('@whirl/circuit-breaker');
         const { retry } = await import('@whirl/backoff');`,
        `const clock = sinon.useFakeTimers({ toFake: undefined });
         const advance = (ms) => clock.tickAsync(ms);`,
      ];
      if (load === 'after') parts.reverse();
      await writeFile(
        join(at, 'fake.mjs'),
        `import sinon from 'sinon';${parts.join('\n')}${story}
         clock.restore(); console.log(JSON.stringify(facts));`,
      );
      expect(JSON.parse(await run(at, process.execPath, 'fake.mjs')), load).toEqual(told);
    }
  });
});

describe('K20c frozen intrinsics break nothing', () => {
  const body = `
    import { CircuitBreaker } from '@whirl/circuit-breaker';
    import { AbortRetry, retry } from '@whirl/backoff';
    FREEZE
    const breaker = new CircuitBreaker({ name: 'db', failureThreshold: 1 });
    const reject = (error) => () => Promise.reject(error);
    const caught = (promise) => promise.catch((error) => error);
    const names = [
      await caught(breaker.execute(() => new Promise(() => {}), { timeoutMs: 1 })),
      await caught(breaker.execute(() => 1)),
      await caught(retry(() => new Promise(() => {}), { timeoutMs: 1 })),
      await caught(retry(() => new Promise(() => {}), { maxAttempts: 1, attemptTimeoutMs: 1 })),
      new AbortRetry('why'),
    ].map(({ name }) => name);
    console.log(names.join(' '));`;
  const names =
    'TimeoutError CircuitOpenError RetryTimeoutError RetryAttemptTimeoutError AbortRetry\n';

  it.each([
    ['--frozen-intrinsics', ['--frozen-intrinsics'], ''],
    ['Object.freeze(Error)', [], 'Object.freeze(Error.prototype); Object.freeze(Error);'],
  ])('%s', async (name, flags, freeze) => {
    const at = await project(`frozen-${name.length}`);
    await writeFile(join(at, 'frozen.mjs'), body.replace('FREEZE', freeze));
    expect(await run(at, process.execPath, ...flags, 'frozen.mjs')).toBe(names);
  });
});
