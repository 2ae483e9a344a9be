import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProxy, startSocks, startTarget } from '@whirl/testkit';
import { describe, expect, it } from 'vitest';
import { use, whirl, type Given } from './support/whirl.ts';

/** The results of a check in JSON. */
interface Row {
  readonly line: number;
  readonly proxy: string;
  readonly ok: boolean;
  readonly protocol: string | null;
  readonly latency_ms: Readonly<Record<'connect' | 'tls' | 'first_byte', number | null>>;
  readonly phase: string | null;
  readonly reason: string | null;
  readonly status: number | null;
  readonly exit_ip: string | null;
  readonly checked_at: string;
}

async function check(list: string, args: readonly string[], given: Given = {}) {
  const ran = await whirl(['check', '-', '--format', 'json', ...args], { stdin: list, ...given });
  return { ...ran, rows: JSON.parse(ran.stdout) as Row[] };
}

/** A target that says from where it was asked. */
async function startEcho(): Promise<{ url: string; close(): void }> {
  const server = http.createServer((request, response) => {
    response.end(JSON.stringify({ ip: request.socket.remoteAddress }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${port}/`, close };
}

describe('L1 whirl check', () => {
  it('reports of each line what it is and why it does not work', async () => {
    const target = use(await startTarget());
    const ok = use(await startProxy());
    const auth = use(await startProxy({ username: 'user', password: 'secret' }));
    const reset = use(await startProxy({ behaviour: { kind: 'reset' } }));
    const garbage = use(await startProxy({ behaviour: { kind: 'garbage' } }));
    const liar = use(await startProxy({ behaviour: { kind: 'status', statusCode: 200 } }));
    const sick = use(await startProxy({ behaviour: { kind: 'status', statusCode: 503 } }));
    const cut = use(await startProxy({ behaviour: { kind: 'cut-body', afterBytes: 3 } }));
    const socks = use(await startSocks());
    const dead = use(await startProxy({ behaviour: { kind: 'refuse' } }));
    const list = [
      ...[ok.url, auth.url, `http://user:wrong@127.0.0.1:${auth.port}`, reset.url],
      ...[garbage.url, liar.url, sick.url, cut.url, socks.url, dead.url, ok.url],
    ];
    const { code, rows, stderr } = await check(list.join('\n'), [
      ...['--url', target.url, '--expect-body', '"ok":true'],
    ]);
    expect(code).toBe(0);
    expect(
      rows.map(({ line, ok: good, phase, reason, status }) => [line, good, phase, reason, status]),
    ).toEqual([
      [1, true, null, null, 200],
      [2, true, null, null, 200],
      [3, false, 'headers', 'proxy_auth', 407],
      [4, false, 'headers', 'reset', null],
      [5, false, 'headers', 'protocol', null],
      [6, false, 'body', 'content', 200],
      [7, false, 'headers', 'status', 503],
      [8, false, 'body', expect.stringMatching(/^(body|protocol)$/), 200],
      [9, true, null, null, 200],
      [10, false, 'tcp', 'tcp', null],
      [11, true, null, null, 200],
    ]);
    expect(stderr).toMatch(/^whirl: 4 of 11 work \(http 3, socks5 1\); bad: .*proxy_auth 1.*\n$/);
  });

  it('a proxy that never responds takes the time of a test, and no more', async () => {
    const target = use(await startTarget());
    const hang = use(await startProxy({ behaviour: { kind: 'hang' } }));
    const { code, rows } = await check(`${hang.url}\n127.0.0.1:${hang.port}`, [
      ...['--url', target.url, '--timeout', '300ms'],
    ]);
    expect(code).toBe(1);
    expect(rows).toMatchObject([
      { line: 1, protocol: 'http', phase: 'headers', reason: 'timeout' },
      { line: 2, protocol: null, phase: 'headers', reason: 'timeout' },
    ]);
  });

  it('over TLS a proxy that responds in place of the target is detected, and so is a certificate that is not trusted', async () => {
    const target = use(await startTarget({ tls: true }));
    const ok = use(await startProxy());
    const liar = use(await startProxy({ behaviour: { kind: 'plain-after-connect' } }));
    const { rows } = await check(`${ok.url}\n${liar.url}`, ['--url', target.url]);
    expect(rows.map(({ phase, reason }) => [phase, reason])).toEqual([
      ['tls_target', 'tls_target'],
      ['connect', 'protocol'],
    ]);
  });

  it('detects the protocol of a bare host:port', async () => {
    const target = use(await startTarget());
    const proxies = [
      use(await startProxy()),
      use(await startSocks({ version: 5 })),
      use(await startSocks({ version: 4 })),
      use(await startProxy({ behaviour: { kind: 'refuse' } })),
      use(await startSocks({ username: 'user', password: 'secret' })),
    ];
    const list = proxies.map(({ port }) => `127.0.0.1:${port}`).join('\n');
    const { rows } = await check(list, ['--url', target.url, '--timeout', '9s']);
    expect(rows.map(({ ok, protocol, reason }) => [ok, protocol, reason])).toEqual([
      [true, 'http', null],
      [true, 'socks5', null],
      [true, 'socks4', null],
      [false, null, 'tcp'],
      [false, 'socks5', expect.stringMatching(/^(proxy_auth|socks)$/)],
    ]);
    expect(rows.map(({ proxy }) => proxy.replace(/\d+$/, ''))).toEqual([
      ...['http://127.0.0.1:', 'socks5://127.0.0.1:', 'socks4://127.0.0.1:'],
      ...['127.0.0.1:', 'socks5://127.0.0.1:'],
    ]);
  });

  it('--protocol sets it, and a line that names one keeps it', async () => {
    const target = use(await startTarget());
    const socks = use(await startSocks());
    const proxy = use(await startProxy());
    const list = `127.0.0.1:${socks.port}\n127.0.0.1:${proxy.port}\n${proxy.url}`;
    const { rows } = await check(list, ['--url', target.url, '--protocol', 'socks5']);
    expect(rows.map(({ ok, protocol }) => [ok, protocol])).toEqual([
      [true, 'socks5'],
      [false, 'socks5'],
      [true, 'http'],
    ]);
    expect(proxy.stats.requests).toBe(1);
  });

  it('every line is tested alone, with a connection of its own', async () => {
    const target = use(await startTarget());
    const proxy = use(await startProxy());
    const broken = use(await startProxy({ behaviour: { kind: 'reset' } }));
    const list = [...Array<string>(5).fill(proxy.url), ...Array<string>(20).fill(broken.url)];
    const { rows } = await check(list.join('\n'), ['--url', target.url]);
    expect(rows.map(({ line }) => line)).toEqual(list.map((_, i) => i + 1));
    expect(rows.filter(({ ok }) => ok)).toHaveLength(5);
    expect([proxy.stats.connections, target.requests]).toEqual([5, 5]);
    // Twenty failures in a row have opened no circuit: each was a request of its own.
    expect(broken.stats.requests).toBe(20);
  });

  it('--attempts tests a proxy that fails again', async () => {
    const target = use(await startTarget());
    const proxy = use(await startProxy({ behaviour: { kind: 'status', statusCode: 502 } }));
    const { rows } = await check(proxy.url, ['--url', target.url, '--attempts', '3']);
    expect([rows.length, rows[0]?.status, proxy.stats.requests]).toEqual([1, 502, 3]);
  });

  it('--connect opens a tunnel and sends nothing through it', async () => {
    const target = use(await startTarget());
    const [ok, refusing] = [
      use(await startProxy()),
      use(await startProxy({ reaches: () => false })),
    ];
    const socks = use(await startSocks());
    const list = [ok.url, refusing.url, socks.url].join('\n');
    const { code, rows } = await check(list, ['--connect', `127.0.0.1:${target.port}`]);
    expect(rows.map(({ ok: good, status, reason }) => [good, status, reason])).toEqual([
      [true, null, null],
      [false, 403, 'connect'],
      [true, null, null],
    ]);
    expect(rows[0]?.latency_ms).toEqual({
      connect: expect.any(Number),
      tls: null,
      first_byte: null,
    });
    expect([code, ok.stats.connects, target.requests]).toEqual([0, 1, 0]);
  });

  it('the exit address is shown when the target shows it', async () => {
    const echo = use(await startEcho());
    const proxy = use(await startProxy());
    const { rows } = await check(proxy.url, ['--url', echo.url]);
    expect(rows[0]?.exit_ip).toBe('127.0.0.1');
  });

  it('--min-ok decides between 0 and 1', async () => {
    const target = use(await startTarget());
    const proxy = use(await startProxy());
    const codes = [];
    for (const least of ['0', '1', '2']) {
      const { code } = await check(proxy.url, ['--url', target.url, '--min-ok', least]);
      codes.push(code);
    }
    expect(codes).toEqual([0, 0, 1]);
    const none = await check('', ['--url', target.url]);
    expect([none.code, none.rows]).toEqual([1, []]);
  });

  it('Ctrl-C ends it with what is known, and 130', async () => {
    const target = use(await startTarget());
    const proxy = use(await startProxy());
    const hang = use(await startProxy({ behaviour: { kind: 'hang' } }));
    const list = [proxy.url, hang.url, hang.url].join('\n');
    const { code, stdout, stderr } = await whirl(
      ['check', '-', '--url', target.url, '--format', 'ndjson', '--timeout', '1h'],
      { stdin: list, onOutput: ({ stdout: text }, stop) => void (text.includes('\n') && stop()) },
    );
    expect(code).toBe(130);
    expect(stdout.split('\n')).toHaveLength(2);
    expect(JSON.parse(stdout)).toMatchObject({ line: 1, ok: true });
    expect(stderr).toMatch(/1 of 3 work \(http 1\); not checked: 2;/);
    await hang.idle();
  });

  it('Ctrl-C ends tests of a bare proxy too', async () => {
    const target = use(await startTarget());
    const proxy = use(await startProxy());
    const hang = use(await startProxy({ behaviour: { kind: 'hang' } }));
    const { code, rows } = await check(
      `${proxy.url}\n127.0.0.1:${hang.port}`,
      [...['--url', target.url, '--timeout', '1h', '--concurrency', '1']],
      { columns: 80, onOutput: ({ stderr }, stop) => void (stderr.includes('1/2') && stop()) },
    );
    expect([code, rows.map(({ line }) => line)]).toEqual([130, [1]]);
    await hang.idle();
  });
});

describe('L1 lists and command lines that cannot be used', () => {
  it('every bad line is named, nothing is tested, and the exit code is 2', async () => {
    const proxy = use(await startProxy());
    const bad = Array.from({ length: 30 }, (_, i) => `h${i}.example:0`);
    const list = [proxy.url, ...bad, 'bob:hunter2@'].join('\n');
    const { code, stdout, stderr } = await whirl(['check', '-', '--url', 'http://127.0.0.1:1/'], {
      stdin: list,
    });
    expect([code, stdout]).toEqual([2, '']);
    const lines = stderr.trimEnd().split('\n');
    expect(lines).toHaveLength(31);
    expect(lines[0]).toBe(
      'whirl: standard input:2: "h0.example:0" is not a proxy: its port must be 1 to 65535',
    );
    expect(stderr).not.toContain('hunter2');
    expect(proxy.stats.connections).toBe(0);
  });

  it('--skip-invalid names them and goes on', async () => {
    const target = use(await startTarget());
    const proxy = use(await startProxy());
    const { code, rows, stderr } = await check(`nonsense\n${proxy.url}`, [
      ...['--url', target.url, '--skip-invalid'],
    ]);
    expect([code, rows.map(({ line }) => line)]).toEqual([0, [2]]);
    expect(stderr).toMatch(/^whirl: standard input:1: /);
  });

  it('--list-format reads lines as they are written', async () => {
    const target = use(await startTarget());
    const proxy = use(await startProxy());
    const { rows } = await check(`DE;127.0.0.1;${proxy.port}`, [
      ...['--url', target.url, '--list-format', 'region;host;port'],
    ]);
    expect(rows[0]?.ok).toBe(true);
  });

  it.each([
    [['check', '-'], /^whirl: --url is required: name a target of yours/],
    [['check'], /^whirl: missing required argument 'list'/],
    [
      ['check', '/no/such/list', '--url', 'http://a/'],
      /^whirl: cannot read "\/no\/such\/list" \(ENOENT\)/,
    ],
    [
      ['check', '-', '--url', 'a.example'],
      /^whirl: --url must begin with http:\/\/ or https:\/\/, got "a.example"$/m,
    ],
    [['check', '-', '--url', 'http://a/', '--connect', 'a:1'], /exclude each other/],
    [
      ['check', '-', '--url', 'http://a/', '--format', 'xml'],
      /^whirl: --format must be "table", .* or "plain", got "xml"$/m,
    ],
    [['check', '-', '--url', 'http://a/', '--list-format', 'nonsense'], /^whirl: --list-format: /],
    [['check', '-', '--url', 'http://a/', '-o', '/no/such/file'], /^whirl: cannot write/],
    [
      ['check', '-', '--url', 'http://a/', '-o', 'http://ann:hunter2@h/'],
      /^whirl: cannot write a path that looks like a URL \(ENOENT\)/,
    ],
    [['check', '-', '--ulr', 'http://a/'], /unknown option '--ulr'\n\(Did you mean --url\?\)/],
    [['chekc'], /unknown command 'chekc'\n\(Did you mean check\?\)/],
  ])('%j', async (args, message) => {
    const { code, stdout, stderr } = await whirl(args);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(message);
  });
});

describe('L1 five formats', () => {
  const list = (ok: string, bad: string) => `# mine\n${bad}\n${ok}\n`;

  async function world() {
    const target = use(await startTarget());
    const proxy = use(await startProxy({ username: 'us"er', password: 'hunter2' }));
    const dead = use(await startProxy({ behaviour: { kind: 'refuse' } }));
    return { url: target.url, proxy, dead, text: list(proxy.url, dead.url) };
  }
  const run = (text: string, url: string, ...args: string[]) =>
    whirl(['check', '-', '--url', url, ...args], { stdin: text });

  it('table', async () => {
    const { url, text, proxy, dead } = await world();
    const { stdout } = await run(text, url);
    const [header, first, second, end] = stdout.split('\n');
    expect(header?.split(/ {2,}/)).toEqual([
      ...['line', 'proxy', 'ok', 'protocol', 'connect ms', 'first byte ms'],
      ...['phase', 'reason', 'status'],
    ]);
    expect(first?.split(/\s+/).filter(Boolean)).toEqual([
      ...['2', `http://127.0.0.1:${dead.port}`, 'bad', 'http', 'tcp', 'tcp'],
    ]);
    expect(second?.split(/\s+/).filter(Boolean).slice(0, 4)).toEqual([
      ...['3', `http://us%22er:***@127.0.0.1:${proxy.port}`, 'ok', 'http'],
    ]);
    expect(end).toBe('');
  });

  it('json has every field, null where nothing is known', async () => {
    const { url, text, dead } = await world();
    const { rows } = await check(text, ['--url', url]);
    expect(rows[0]).toEqual({
      line: 2,
      proxy: `http://127.0.0.1:${dead.port}`,
      ok: false,
      protocol: 'http',
      latency_ms: { connect: null, tls: null, first_byte: null },
      phase: 'tcp',
      reason: 'tcp',
      status: null,
      exit_ip: null,
      checked_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    });
  });

  it('csv', async () => {
    const { url, text } = await world();
    const { stdout } = await run(text, url, '--format', 'csv');
    const [header, first, second] = stdout.split('\n');
    expect(header).toBe(
      'line,proxy,ok,protocol,connect_ms,tls_ms,first_byte_ms,phase,reason,status,exit_ip,checked_at',
    );
    expect(first).toMatch(/^2,http:\/\/127.0.0.1:\d+,false,http,,,,tcp,tcp,,,\d{4}-.*Z$/);
    expect(second).toMatch(
      /^3,http:\/\/us%22er:\*\*\*@127.0.0.1:\d+,true,http,[\d.]+,,[\d.]+,,,200,,/,
    );
  });

  it('plain has the proxies that work, and notes that their passwords are masked', async () => {
    const { url, text, proxy, dead } = await world();
    const masked = await run(text, url, '--format', 'plain');
    expect(masked.stdout).toBe(`http://us%22er:***@127.0.0.1:${proxy.port}\n`);
    expect(masked.stderr).toContain('1 password is masked');
    const whole = await run(text, url, '--format', 'plain', '--show-passwords');
    expect(whole.stdout).toBe(`${proxy.url}\n`);
    expect(whole.stderr).not.toContain('masked');
    const bad = await run(text, url, '--format', 'plain', '--only', 'bad');
    expect(bad.stdout).toBe(`${dead.url}\n`);
    // What it wrote is a list.
    const again = await run(whole.stdout, url);
    expect(again.code).toBe(0);
  });

  it('--only, --sort and --output', async () => {
    const { url, text, proxy } = await world();
    const lines = async (...args: string[]) => {
      const { rows } = await check(text, ['--url', url, ...args]);
      return rows.map(({ line }) => line);
    };
    expect(await lines('--only', 'ok')).toEqual([3]);
    expect(await lines('--only', 'bad')).toEqual([2]);
    expect(await lines('--sort', 'latency')).toEqual([3, 2]);
    const folder = await mkdtemp(join(tmpdir(), 'whirl-check-'));
    use({ close: () => rm(folder, { recursive: true }) });
    const file = join(folder, 'good.txt');
    const { stdout } = await run(text, url, '-f', 'plain', '--show-passwords', '-o', file);
    expect([stdout, await readFile(file, 'utf8')]).toEqual(['', `${proxy.url}\n`]);
    await writeFile(join(folder, 'list.txt'), text);
    expect((await whirl(['check', join(folder, 'list.txt'), '--url', url])).code).toBe(0);
  });

  it('L5 no format shows a password unless it is asked for', async () => {
    const { url, text } = await world();
    for (const format of ['table', 'json', 'ndjson', 'csv', 'plain']) {
      const hidden = await run(text, url, '--format', format);
      expect(hidden.stdout + hidden.stderr, format).not.toContain('hunter2');
      const shown = await run(text, url, '--format', format, '--show-passwords');
      expect(shown.stdout, format).toContain('hunter2');
    }
  });
});

describe('L1 the bar', () => {
  it('is drawn on stderr when that is a terminal, and leaves it clean', async () => {
    const target = use(await startTarget());
    const proxy = use(await startProxy());
    const { stdout, stderr } = await whirl(['check', '-', '--url', target.url], {
      stdin: proxy.url,
      columns: 100,
    });
    expect(stderr).toContain('░');
    expect(stderr).toContain('0/1  ok 0  bad 0');
    expect(stderr.endsWith('1/s\n') || /\d+\/s\n$/.test(stderr)).toBe(true);
    // The cursor is shown again.
    expect(stderr.lastIndexOf('\u001B[?25h')).toBeGreaterThan(stderr.lastIndexOf('\u001B[?25l'));
    expect(stdout).not.toContain('\u001B');
  });

  it('is not drawn into a pipe or with --quiet', async () => {
    const target = use(await startTarget());
    const proxy = use(await startProxy());
    const pipe = await whirl(['check', '-', '--url', target.url], { stdin: proxy.url });
    expect(pipe.stderr).toMatch(/^whirl: 1 of 1 work .*\n$/);
    const quiet = await whirl(['check', '-', '--url', target.url, '--quiet'], {
      stdin: proxy.url,
      columns: 100,
    });
    expect(quiet.stderr).toBe('');
  });
});
