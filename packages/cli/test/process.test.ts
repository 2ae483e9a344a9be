import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProxy, startTarget } from '@whirl/testkit';
import { describe, expect, it } from 'vitest';
import { version } from '../src/version.ts';
import { start } from './support/process.ts';
import { use } from './support/whirl.ts';

describe('the program', () => {
  it('prints its version', async () => {
    const { written, ended } = start(['--version']);
    expect([await ended, written]).toEqual([0, { stdout: `${version}\n`, stderr: '' }]);
  });

  it('Ctrl-C prints what is known so far and ends with 130', async () => {
    const target = use(await startTarget());
    const proxy = use(await startProxy());
    const hang = use(await startProxy({ behaviour: { kind: 'hang' } }));
    const args = ['check', '-', '--url', target.url, '--timeout', '1h', '--concurrency', '2'];
    const { child, written, ended } = start(args, {
      stdin: [proxy.url, hang.url, hang.url].join('\n'),
    });
    // The third line is being tested: the first has ended.
    await expect.poll(() => hang.stats.requests, { timeout: 30_000 }).toBe(2);
    child.kill('SIGINT');
    expect(await ended).toBe(130);
    expect(written.stdout).toContain(proxy.url);
    expect(written.stdout.trimEnd().split('\n')).toHaveLength(2);
    expect(written.stderr).toMatch(/not checked: 2;/);
  });

  it('Ctrl-C that comes twice, as under npx, is one', async () => {
    const target = use(await startTarget());
    const hang = use(await startProxy({ behaviour: { kind: 'hang' } }));
    const args = ['check', '-', '--url', target.url, '--timeout', '1h', '--format', 'csv'];
    const { child, written, ended } = start(args, { stdin: hang.url });
    await expect.poll(() => hang.stats.requests, { timeout: 30_000 }).toBe(1);
    child.kill('SIGINT');
    child.kill('SIGTERM');
    expect(await ended).toBe(130);
    expect(written.stdout).toMatch(/^line,proxy,ok/);
    expect(written.stderr).toMatch(/not checked: 1;/);
  });

  it('a reader that closes its end stops it quietly', async () => {
    const target = use(await startTarget());
    const proxy = use(await startProxy());
    const hang = use(await startProxy({ behaviour: { kind: 'hang' } }));
    const list = [...Array<string>(200).fill(proxy.url), ...Array<string>(5).fill(hang.url)];
    const args = ['check', '-', '--url', target.url, '--format', 'ndjson', '--timeout', '1h'];
    const { child, written, ended } = start([...args, '--concurrency', '1'], {
      stdin: list.join('\n'),
    });
    child.stdout?.once('data', () => child.stdout?.destroy());
    expect([await ended, written.stderr]).toEqual([0, '']);
  });

  it('an output that cannot be written is reported in a line, with exit code 1, of whirl get 23', async () => {
    const target = use(await startTarget());
    const proxy = use(await startProxy());
    const full = await open('/dev/full', 'w');
    use(full);
    const check = ['check', '-', '--url', target.url, '-q'];
    const pool = [target.url, '--proxies', proxy.url, '-q'];
    const commands: [args: string[], code: number, message: string][] = [
      [[...check, '-f', 'json'], 1, 'whirl: cannot write to stdout (ENOSPC)\n'],
      [[...check, '-f', 'ndjson'], 1, 'whirl: cannot write to stdout (ENOSPC)\n'],
      [[...check, '-o', '/dev/full'], 1, 'whirl: cannot write "/dev/full" (ENOSPC)\n'],
      [
        [...check, '-f', 'ndjson', '-o', '/dev/full'],
        1,
        'whirl: cannot write "/dev/full" (ENOSPC)\n',
      ],
      [['bench', ...pool, '-n', '1'], 1, 'whirl: cannot write to stdout (ENOSPC)\n'],
      [['get', ...pool], 23, ''],
      [['--help'], 1, 'whirl: cannot write to stdout (ENOSPC)\n'],
    ];
    for (const [args, code, message] of commands) {
      const { written, ended } = start(args, { stdin: proxy.url, stdout: full.fd });
      expect([args, await ended, written.stderr]).toEqual([args, code, message]);
    }
  });

  it('whirl serve serves on when its lines to paste cannot be written', async () => {
    const full = await open('/dev/full', 'w');
    use(full);
    const args = ['serve', '--gateway', '127.0.0.1:0', '--api', 'off', '--proxies', '127.0.0.1:9'];
    const { child, written, ended } = start(args, { stdout: full.fd });
    await expect
      .poll(() => written.stderr, { timeout: 30_000 })
      .toMatch(/"level":40.*cannot write to stdout \(ENOSPC\)/);
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
  });

  it('FORCE_COLOR colours what is no terminal, and NO_COLOR nothing', async () => {
    const target = use(await startTarget());
    const proxy = use(await startProxy());
    const args = ['check', '-', '--url', target.url];
    const forced = start(args, { stdin: proxy.url, env: { FORCE_COLOR: '1' } });
    const plain = start(args, { stdin: proxy.url, env: { NO_COLOR: '1' } });
    expect([await forced.ended, await plain.ended]).toEqual([0, 0]);
    expect(forced.written.stdout).toContain('\u001B[32m');
    expect(plain.written.stdout).not.toContain('\u001B');
  });

  it('with NODE_EXTRA_CA_CERTS it trusts a target and an https proxy, and shows the times of TLS with each', async () => {
    const target = use(await startTarget({ tls: true }));
    const proxy = use(await startProxy({ tls: true }));
    const folder = await mkdtemp(join(tmpdir(), 'whirl-ca-'));
    use({ close: () => rm(folder, { recursive: true }) });
    const file = join(folder, 'ca.pem');
    await writeFile(file, `${target.ca ?? ''}\n${proxy.ca ?? ''}`);
    const { written, ended } = start(['check', '-', '--url', target.url, '--format', 'ndjson'], {
      stdin: `127.0.0.1:${proxy.port}`,
      env: { NODE_EXTRA_CA_CERTS: file },
    });
    expect(await ended).toBe(0);
    const { ok, protocol, latency_ms } = JSON.parse(written.stdout) as {
      ok: boolean;
      protocol: string;
      latency_ms: { connect: number; tls: number; first_byte: number };
    };
    expect([ok, protocol]).toEqual([true, 'https']);
    const { connect, tls, first_byte } = latency_ms;
    expect(Math.min(connect, tls)).toBeGreaterThan(0);
    // Each is rounded to a tenth.
    expect(connect + tls).toBeLessThanOrEqual(first_byte + 0.2);
  });
});
