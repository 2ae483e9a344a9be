import { startProxy, startTarget } from '@whirl/testkit';
import { describe, expect, it } from 'vitest';
import { use, whirl } from './support/whirl.ts';

interface Report {
  readonly requests: number;
  readonly succeeded: number;
  readonly failures: Readonly<Record<string, number>>;
  readonly requests_per_second: number;
  readonly attempts: number;
  readonly attempts_per_request: number;
  readonly body_bytes: number;
  readonly latency_ms: Readonly<Record<'p50' | 'p90' | 'p95' | 'p99' | 'max', number>>;
  readonly histogram: readonly { readonly below_ms: number | null; readonly count: number }[];
  readonly proxies: readonly {
    readonly proxy: string;
    readonly attempts: number;
    readonly succeeded: number;
    readonly failures: Readonly<Record<string, number>>;
  }[];
}

const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);

describe('L4 whirl bench', () => {
  it('sends so many requests, and its figures add up', async () => {
    const target = use(await startTarget());
    const good = use(await startProxy());
    const dead = use(await startProxy({ behaviour: { kind: 'refuse' } }));
    const { code, stdout } = await whirl([
      ...['bench', target.url, '--proxies', `${good.url},${dead.url}`],
      ...['-n', '100', '-c', '10', '--format', 'json'],
    ]);
    const report = JSON.parse(stdout) as Report;
    expect([code, target.requests]).toEqual([0, 100]);
    expect(report).toMatchObject({ requests: 100, succeeded: 100, failures: {} });
    expect(report.body_bytes).toBe(100 * '{"ok":true,"path":"/","method":"GET"}'.length);
    expect(sum(report.proxies.map(({ attempts }) => attempts))).toBe(report.attempts);
    expect(report.attempts_per_request).toBeCloseTo(report.attempts / 100, 2);
    const byId = new Map(report.proxies.map((each) => [each.proxy, each]));
    expect(byId.get(good.id)).toMatchObject({ succeeded: 100, failures: {} });
    const tried = byId.get(dead.id);
    expect(tried?.failures).toEqual(tried === undefined ? undefined : { tcp: tried.attempts });
    expect(sum(report.histogram.map(({ count }) => count))).toBe(100);
    const { p50, p90, p95, p99, max } = report.latency_ms;
    expect([p50, p90, p95, p99, max]).toEqual([p50, p90, p95, p99, max].toSorted((a, b) => a - b));
  });

  it('prints why requests fail, and exits with 1 when none succeeds', async () => {
    const target = use(await startTarget());
    const sick = use(await startProxy({ behaviour: { kind: 'status', statusCode: 404 } }));
    const dead = use(await startProxy({ behaviour: { kind: 'refuse' } }));
    const run = async (proxy: string) => {
      const args = ['bench', target.url, '--proxies', proxy, '-n', '3', '--retries', '0'];
      const { code, stdout } = await whirl([...args, '--format', 'json']);
      return [code, (JSON.parse(stdout) as Report).failures];
    };
    expect(await run(sick.url)).toEqual([1, { 'status 404': 3 }]);
    expect(await run(dead.url)).toEqual([1, { 'proxy connection (tcp)': 3 }]);
  });

  it('-z sends as many as fit, and what has begun ends', async () => {
    const target = use(await startTarget());
    const proxy = use(await startProxy());
    const { code, stdout } = await whirl([
      ...['bench', target.url, '--proxies', proxy.url, '-z', '200ms', '-c', '5'],
      ...['--format', 'json'],
    ]);
    const report = JSON.parse(stdout) as Report;
    expect(code).toBe(0);
    expect(report.requests).toBe(target.requests);
    expect(report.failures).toEqual({});
  });

  it('Ctrl-C ends it with the figures so far, and 130', async () => {
    const target = use(await startTarget());
    const proxy = use(await startProxy());
    const { code, stdout } = await whirl(
      ['bench', target.url, '--proxies', proxy.url, '-z', '1h', '-c', '5', '--format', 'json'],
      {
        columns: 80,
        onOutput: ({ stderr }, stop) => void (/[1-9]\d* requests/.test(stderr) && stop()),
      },
    );
    expect(code).toBe(130);
    const report = JSON.parse(stdout) as Report;
    expect(report.requests).toBeGreaterThan(0);
    expect(report.failures).toEqual({});
  });

  it('for people it draws a histogram and a table of proxies', async () => {
    const target = use(await startTarget());
    const proxy = use(await startProxy({ username: 'user', password: 'hunter2' }));
    const { stdout, stderr } = await whirl([
      ...['bench', target.url, '--proxies', proxy.url, '-n', '20', '-c', '4'],
    ]);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^requests {4}20 in [\d.]+ s, [\d.]+\/s\nsucceeded {3}20 \(100 %\)\n/);
    expect(stdout).toMatch(/\nattempts {4}20, 1\.00 per request\n/);
    expect(stdout).toMatch(/\n +below \d+ m?s {2}█+ \d+\n/);
    const [header, row] = stdout.trimEnd().split('\n').slice(-2);
    expect(header?.split(/ {2,}/)).toEqual([
      ...['proxy', 'attempts', 'succeeded', 'success %', 'mean ms'],
    ]);
    expect(row?.split(/ {2,}/).slice(0, 4)).toEqual([proxy.id, '20', '20', '100']);
    expect(stdout).not.toContain('hunter2');
  });

  it.each([
    [['-n', '1', '-z', '1s'], /-n and -z exclude each other/],
    [['-n', '0'], /^whirl: --requests must be an integer from 1 to 1000000000, got "0"$/m],
  ])('exit code 2: %j', async (args, message) => {
    const ran = await whirl(['bench', 'http://127.0.0.1:1/', '--proxies', '127.0.0.1:1', ...args]);
    expect([ran.code, ran.stdout]).toEqual([2, '']);
    expect(ran.stderr).toMatch(message);
  });
});
