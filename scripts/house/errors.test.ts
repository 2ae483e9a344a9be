import { readFileSync } from 'node:fs';
import * as backoff from '@whirl/backoff';
import * as breaker from '@whirl/circuit-breaker';
import * as events from '@whirl/events';
import * as fleet from '@whirl/fleet';
import * as gateway from '@whirl/gateway';
import * as metrics from '@whirl/metrics';
import * as rotator from '@whirl/rotator';
import * as selector from '@whirl/selector';
import { describe, expect, it } from 'vitest';
import * as server from '../../packages/server/src/index.ts';
import { absolute } from './files.ts';

type ErrorClass = new (...args: never[]) => Error & { readonly code?: unknown };

const packages = {
  backoff,
  'circuit-breaker': breaker,
  events,
  fleet,
  gateway,
  metrics,
  rotator,
  selector,
  server,
};

/** Every error class that a package exports. */
const classes = Object.entries(packages).flatMap(([name, exported]) =>
  Object.entries(exported)
    .filter(([, value]) => typeof value === 'function' && value.prototype instanceof Error)
    .map(([className, value]) => ({ name, className, Class: value as unknown as ErrorClass })),
);

const failure = { phase: 'tcp', proxyId: 'p' } as const;
const taken = Object.assign(new Error('taken'), { code: 'EADDRINUSE' });

/** One of each kind. What is not here has no place in the documentation either. */
const made: Readonly<Record<string, readonly Error[]>> = {
  RetryTimeoutError: [new backoff.RetryTimeoutError()],
  RetryAttemptTimeoutError: [new backoff.RetryAttemptTimeoutError()],
  AbortRetry: [new backoff.AbortRetry('cause')],
  CircuitOpenError: [new breaker.CircuitOpenError('c', 'open')],
  TimeoutError: [new breaker.TimeoutError()],
  WhirlError: [new rotator.WhirlError('CLOSED', 'closed')],
  ProxyConnectionError: [new rotator.ProxyConnectionError('refused', failure)],
  ProxyAuthenticationError: [new rotator.ProxyAuthenticationError('407', failure)],
  TargetConnectionError: [new rotator.TargetConnectionError('TLS', failure)],
  AttemptTimeoutError: [new rotator.AttemptTimeoutError(5, 'tcp', 'p')],
  RequestTimeoutError: [new rotator.RequestTimeoutError(5, [])],
  AllProxiesUnavailableError: [
    new rotator.AllProxiesUnavailableError('ALL_PROXIES_UNAVAILABLE', 'open'),
    new rotator.AllProxiesUnavailableError('NO_PROXIES', 'empty'),
    new rotator.AllProxiesUnavailableError('PROXIES_BUSY', 'busy'),
  ],
  RetriesExhaustedError: [new rotator.RetriesExhaustedError([], undefined)],
  InvalidProxyError: [new rotator.InvalidProxyError('bad')],
  InvalidPolicyError: [new rotator.InvalidPolicyError([])],
  InvalidRequestError: [new rotator.InvalidRequestError('bad')],
  FetchBypassedError: [new rotator.FetchBypassedError()],
  ClosedError: [new rotator.ClosedError()],
  ConfigError: [new server.ConfigError(['bad'])],
  ListenError: [server.ListenError.of(taken, 'api', 'h', 1) as Error],
};

describe('the errors of all packages', () => {
  it('have a name each, which no other package has', () => {
    const names = classes.map(({ className }) => className);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
    expect(names.sort()).toEqual(Object.keys(made).sort());
  });

  it.each(classes)('$className has its name and a code, which the README tells', (each) => {
    const readme = readFileSync(absolute(`packages/${each.name}/README.md`), 'utf8');
    for (const error of made[each.className] ?? []) {
      expect(error).toBeInstanceOf(each.Class);
      expect(error.name).toBe(each.className);
      const { code } = error as { code?: string };
      expect(code).toMatch(/^[A-Z_]+$/);
      expect(readme, each.className).toContain(`\`${code}\``);
      if (each.className !== 'WhirlError') expect(readme).toContain(each.className);
    }
  });

  it('are known by their code where instanceof fails: of another copy of a package', async () => {
    const copy = async (path: string): Promise<Record<string, ErrorClass>> =>
      (await import(/* @vite-ignore */ `../../packages/${path}?copy`)) as never;
    const { CircuitOpenError } = await copy('circuit-breaker/src/errors.ts');
    const { AbortRetry } = await copy('backoff/src/retry-errors.ts');
    const refusal = new CircuitOpenError!(...(['c', 'open'] as never[]));
    expect(refusal).not.toBeInstanceOf(breaker.CircuitOpenError);
    expect(refusal.code).toBe('CIRCUIT_OPEN');
    const cause = new Error('not worth it');
    const ending = new AbortRetry!(...([cause] as never[]));
    expect(ending).not.toBeInstanceOf(backoff.AbortRetry);
    let calls = 0;
    const task = (error: unknown) => () => {
      calls++;
      throw error;
    };
    // Neither package asks for a class: both end a retry at once.
    await expect(backoff.retry(task(ending))).rejects.toBe(cause);
    await expect(backoff.retry(task(refusal))).rejects.toBe(refusal);
    expect(calls).toBe(2);
  });

  it('share a code where they say the same', () => {
    const byCode = new Map<string, string[]>();
    for (const [name, errors] of Object.entries(made)) {
      for (const { code } of errors as (Error & { code: string })[]) {
        if (name !== 'WhirlError') byCode.set(code, [...(byCode.get(code) ?? []), name]);
      }
    }
    expect([...byCode].filter(([, names]) => names.length > 1)).toEqual([
      ['REQUEST_TIMEOUT', ['RetryTimeoutError', 'RequestTimeoutError']],
      ['ATTEMPT_TIMEOUT', ['RetryAttemptTimeoutError', 'TimeoutError', 'AttemptTimeoutError']],
    ]);
  });
});
