import { writeFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProxy, startSocks, startTarget } from '@whirl/testkit';
import { expect, it } from 'vitest';
import { use, whirl } from './support/whirl.ts';

it('L1 5,000 lines of every kind: each has its own result', async () => {
  const target = use(await startTarget());
  const good = use(await startProxy());
  const slow = use(await startProxy({ behaviour: { kind: 'ok', latencyMs: 150 } }));
  const dead = use(await startProxy({ behaviour: { kind: 'refuse' } }));
  const liar = use(await startProxy({ behaviour: { kind: 'status', statusCode: 200 } }));
  const sick = use(await startProxy({ behaviour: { kind: 'status', statusCode: 503 } }));
  const mute = use(await startProxy({ behaviour: { kind: 'hang' } }));
  const locked = use(await startProxy({ username: 'user', password: 'right' }));
  const socks = use(await startSocks());
  const wrong = `http://user:wrong@127.0.0.1:${locked.port}`;
  const kinds: readonly (readonly [proxy: string, what: string])[] = [
    [good.url, 'ok 200'],
    [slow.url, 'ok 200'],
    [dead.url, 'tcp tcp'],
    [liar.url, 'content 200'],
    [wrong, 'proxy_auth 407'],
    [sick.url, 'status 503'],
    [good.url, 'ok 200'],
    [socks.url, 'ok 200'],
    [`127.0.0.1:${dead.port}`, 'tcp tcp'],
    [locked.url, 'ok 200'],
  ];
  const list = Array.from({ length: 5000 }, (_, i) =>
    // A few of those that never answer, since each takes all of its time.
    i % 500 === 499 ? ([mute.url, 'timeout'] as const) : (kinds[(i * 7) % 10] as (typeof kinds)[0]),
  );
  const folder = await mkdtemp(join(tmpdir(), 'whirl-list-'));
  use({ close: () => rm(folder, { recursive: true }) });
  const file = join(folder, 'list.txt');
  await writeFile(file, list.map(([proxy]) => `${proxy}\n`).join(''));
  const { code, stdout } = await whirl([
    ...['check', file, '--url', target.url, '--expect-body', '"ok":true'],
    ...['--timeout', '20s', '--format', 'csv', '--concurrency', '100'],
  ]);
  expect(code).toBe(0);
  const rows = stdout.trimEnd().split('\n').slice(1);
  expect(rows).toHaveLength(5000);
  const seen = rows.map((row) => {
    const [line, , ok, , , , , phase, reason, status] = row.split(',');
    if (ok === 'true') return `${line} ok ${status}`;
    if (reason === 'timeout') return `${line} timeout`;
    return status === '' ? `${line} ${phase} ${reason}` : `${line} ${reason} ${status}`;
  });
  expect(seen).toEqual(list.map(([, what], i) => `${i + 1} ${what}`));
}, 180_000);

it.each([
  ['L1 check', (file: string) => ['check', file, '--url', 'http://target.test/']],
  ['L2 get', (file: string) => ['get', 'http://target.test/', '--proxies-file', file]],
] as const)('%s names each of 130,000 lines that are no proxies', async (_, command) => {
  const folder = await mkdtemp(join(tmpdir(), 'whirl-list-'));
  use({ close: () => rm(folder, { recursive: true }) });
  const file = join(folder, 'list.txt');
  await writeFile(file, 'not a proxy\n'.repeat(130_000));
  const { code, stderr } = await whirl(command(file));
  const lines = stderr.trimEnd().split('\n');
  expect([code, lines.length]).toEqual([2, 130_000]);
  expect(lines.at(-1)).toMatch(/^whirl: .+:130000: .+ is not a proxy/);
});
