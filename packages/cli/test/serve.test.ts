import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { startProxy, startTarget } from '@whirl/testkit';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { greeting } from '../src/serve/greeting.ts';
import { readable } from '../src/serve/log-lines.ts';
import { commandOf, start } from './support/process.ts';
import { use, whirl, type Given, type Ran } from './support/whirl.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

const free = ['--gateway', '127.0.0.1:0', '--api', '127.0.0.1:0'];

interface Serving {
  readonly written: { readonly stdout: string; readonly stderr: string };
  /** `host:port`. */
  readonly gateway: string;
  readonly url: string;
  stop(): Promise<Ran>;
}

/** `whirl serve` in this process, once it has told what to paste. */
async function serving(args: readonly string[], given: Given = {}): Promise<Serving> {
  let written = { stdout: '', stderr: '' };
  let stop = () => {};
  let greeted = () => {};
  const greets = new Promise<void>((resolve) => (greeted = resolve));
  const ran = whirl(['serve', ...args], {
    ...given,
    onOutput(so, undo) {
      written = so;
      stop = undo;
      if (so.stdout !== '') greeted();
    },
  });
  await Promise.race([greets, ran]);
  const found = (pattern: RegExp) => pattern.exec(written.stdout)?.[1] ?? '';
  const serving = {
    get written() {
      return written;
    },
    gateway: found(/gateway at ([^,\s]+)/),
    url: found(/(http:\S+)\/docs/),
    stop() {
      stop();
      return ran;
    },
  };
  use({ close: () => serving.stop() });
  return serving;
}

/** What a client of the gateway gets that asks for a URL as curl does. */
async function through(gateway: string, url: string, credentials?: string) {
  const [host, port] = gateway.split(':');
  const headers =
    credentials === undefined
      ? {}
      : { 'proxy-authorization': `Basic ${Buffer.from(credentials).toString('base64')}` };
  const request = http.get({ host, port, path: url, headers, agent: false });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  response.resume();
  return response.statusCode;
}

/** The first line of the response to a CONNECT. */
async function connect(gateway: string, authority: string): Promise<string> {
  const [host, port] = gateway.split(':');
  const socket = net.connect(Number(port), host);
  // The gateway resets what is open when it stops.
  socket.on('error', () => {});
  use({ close: () => socket.destroy() });
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  return String(chunk).split('\r\n')[0] ?? '';
}

const sizeOf = async (url: string) => {
  const status = (await (await fetch(`${url}/api/v1/status`)).json()) as { proxies: number };
  return status.proxies;
};

describe('L3 whirl serve', () => {
  it('serves a pool to clients of a proxy and of the API, past the proxies that fail', async () => {
    const target = use(await startTarget());
    const dead = use(await startProxy({ behaviour: { kind: 'refuse' } }));
    const good = use(await startProxy());
    const { gateway, url, stop, written } = await serving([
      ...free,
      ...['--proxies', dead.url, '--proxies', good.url],
    ]);
    for (let i = 0; i < 4; i++) expect(await through(gateway, target.url)).toBe(200);
    expect(await connect(gateway, `127.0.0.1:${target.port}`)).toContain(' 200 ');
    const answered = await fetch(`${url}/api/v1/request`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ url: target.url }),
    });
    expect(await answered.json()).toMatchObject({ status_code: 200 });
    expect(written.stdout.trimEnd().split('\n').slice(2)).toEqual([
      `  curl -x http://${gateway} https://example.com/`,
      `  export HTTPS_PROXY=http://${gateway}`,
      `  chromium.launch({ proxy: { server: 'http://${gateway}' } })`,
    ]);
    expect(await stop()).toMatchObject({ code: 0, stderr: '' });
    await expect(fetch(`${url}/health/live`)).rejects.toThrow();
  });

  it('the gateway requires the passwords that were given, and no output has one', async () => {
    const target = use(await startTarget());
    const proxy = use(await startProxy({ username: 'bob', password: 'hunter2' }));
    const { gateway, stop } = await serving([
      ...free,
      ...['--proxies', `http://bob:hunter2@127.0.0.1:${proxy.port}`],
      ...['--gateway-auth', 'ann:s3cret', '--gateway-auth', 'joe:0p3n', '--log-level', 'debug'],
    ]);
    expect(await through(gateway, target.url)).toBe(407);
    expect(await through(gateway, target.url, 'joe:s3cret')).toBe(407);
    expect(await through(gateway, target.url, 'ann:s3cret')).toBe(200);
    expect(await through(gateway, target.url, 'joe:0p3n')).toBe(200);
    const { stdout, stderr } = await stop();
    expect(stdout).toContain(`curl -x http://${gateway} -U ann https://example.com/`);
    expect(stdout).toContain(`HTTPS_PROXY=http://ann:PASSWORD@${gateway}`);
    expect(stderr).toContain('Attempt');
    expect(stdout + stderr).not.toMatch(/hunter2|s3cret|0p3n/);
  });

  it('credentials and a token may stand in files', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'whirl-serve-'));
    use({ close: () => rm(folder, { recursive: true }) });
    const [clients, token] = [join(folder, 'clients'), join(folder, 'token')];
    await writeFile(clients, 'ann:s3cret\n');
    await writeFile(token, 'open-sesame\n');
    const { gateway, url } = await serving([
      ...['--gateway', '0.0.0.0:0', '--gateway-auth-file', clients],
      ...['--api', '0.0.0.0:0', '--api-token-file', token],
    ]);
    const port = gateway.split(':')[1] ?? '';
    expect(await through(`127.0.0.1:${port}`, 'http://shop.test/')).toBe(407);
    const status = `http://127.0.0.1:${new URL(url).port}/api/v1/status`;
    expect((await fetch(status)).status).toBe(401);
    const headers = { authorization: 'Bearer open-sesame' };
    expect((await fetch(status, { headers })).status).toBe(200);
  });

  it('takes the list that whirl check prints', async () => {
    const target = use(await startTarget());
    const proxy = use(await startProxy({ username: 'bob', password: 'hunter2' }));
    const list = `http://bob:hunter2@127.0.0.1:${proxy.port}\n127.0.0.1:9\n`;
    const check = ['check', '-', '--url', target.url, '--format', 'plain'];
    const { stdout } = await whirl([...check, '--show-passwords'], { stdin: list });
    const { gateway, url } = await serving([...free, '--proxies-file', '-'], { stdin: stdout });
    expect(await sizeOf(url)).toBe(1);
    expect(await through(gateway, target.url)).toBe(200);
  });

  it('a list with masked passwords is refused with what to do, here as in whirl get', async () => {
    const stdin = 'http://127.0.0.1:9\nhttp://bob:***@127.0.0.1:8\n';
    for (const command of [['serve'], ['get', 'http://a.test/']]) {
      expect(await whirl([...command, '--proxies-file', '-'], { stdin })).toEqual({
        code: 2,
        stdout: '',
        stderr:
          'whirl: standard input:2: its password is masked (***): write the list with --show-passwords\n',
      });
    }
  });

  it('a file is watched: what changes in it changes in the pool', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'whirl-serve-'));
    use({ close: () => rm(folder, { recursive: true }) });
    const file = join(folder, 'proxies.txt');
    await writeFile(file, '127.0.0.1:9\n');
    const { url } = await serving([...free, '--proxies-file', file]);
    expect(await sizeOf(url)).toBe(1);
    await writeFile(`${file}.new`, '127.0.0.1:9\n127.0.0.1:7\n');
    await rename(`${file}.new`, file);
    await expect.poll(() => sizeOf(url), { timeout: 20_000 }).toBe(2);
  });

  it('names every bad line of a list, of a file as of stdin, and shows no password', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'whirl-serve-'));
    use({ close: () => rm(folder, { recursive: true }) });
    const file = join(folder, 'proxies.txt');
    const list = ['127.0.0.1:9', ...Array<string>(30).fill('http://bob:hunter2@:80')].join('\n');
    await writeFile(file, list);
    for (const source of [file, '-']) {
      const { code, stdout, stderr } = await whirl(
        ['serve', ...free, '--proxies-file', source],
        source === '-' ? { stdin: list } : {},
      );
      expect([code, stdout]).toEqual([2, '']);
      const name = source === '-' ? 'standard input' : file;
      const lines = stderr.trimEnd().split('\n');
      expect(lines).toHaveLength(30);
      for (const [i, line] of lines.entries()) expect(line).toContain(`whirl: ${name}:${i + 2}: `);
      expect(stderr).not.toContain('hunter2');
    }
  });

  it('--protocol and --list-format say how a list is read', async () => {
    const args = ['--protocol', 'socks5', '--list-format', 'host:port:region'];
    const { url } = await serving([...free, ...args, '--proxies-file', '-'], {
      stdin: '127.0.0.1:9:eu\n',
    });
    const { proxies } = (await (await fetch(`${url}/api/v1/proxies`)).json()) as {
      proxies: { url: string; region: string }[];
    };
    expect(proxies).toMatchObject([{ url: 'socks5://127.0.0.1:9', region: 'EU' }]);
  });

  it('proxies that are named put those of the file of --config out of use', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'whirl-serve-'));
    use({ close: () => rm(folder, { recursive: true }) });
    const config = join(folder, 'whirl.json');
    await writeFile(join(folder, 'list.txt'), '127.0.0.1:7\n');
    await writeFile(config, '{"proxies":["127.0.0.1:8"],"proxies_file":"list.txt"}');
    const idsOf = async (args: readonly string[], given: Given = {}) => {
      const { url, stop } = await serving([...free, '--config', config, ...args], given);
      const { proxies } = (await (await fetch(`${url}/api/v1/proxies`)).json()) as {
        proxies: { id: string }[];
      };
      await stop();
      return proxies.map(({ id }) => id).sort();
    };
    expect(await idsOf([])).toEqual(['127.0.0.1:7', '127.0.0.1:8']);
    expect(await idsOf(['--proxies', '127.0.0.1:9'])).toEqual(['127.0.0.1:9']);
    expect(await idsOf(['--proxies-file', '-'], { stdin: '127.0.0.1:6' })).toEqual(['127.0.0.1:6']);
    vi.stubEnv('WHIRL_PROXIES', '127.0.0.1:5');
    expect(await idsOf([])).toEqual(['127.0.0.1:5']);
  });

  it('an empty variable is unset', async () => {
    vi.stubEnv('WHIRL_PROXIES', '');
    vi.stubEnv('WHIRL_PROXIES_FILE', '');
    const { url } = await serving(free);
    expect(await sizeOf(url)).toBe(0);
  });

  it('--api off leaves the gateway, --gateway off the API with three lines of its own', async () => {
    const alone = await serving(['--gateway', '127.0.0.1:0', '--api', 'off']);
    expect(alone.written.stdout).not.toContain('API');
    expect(await connect(alone.gateway, '127.0.0.1:25')).toContain(' 403 ');
    const api = await serving(['--gateway', 'off', '--api', '127.0.0.1:0']);
    expect(api.gateway).toBe('');
    expect(api.written.stdout.match(/^ {2}curl /gm)).toHaveLength(3);
    expect(await sizeOf(api.url)).toBe(0);
  });

  it('a pool without proxies starts with a warning', async () => {
    const { written } = await serving(free);
    expect(written.stderr).toMatch(/"level":40.*"the pool has no proxies: every request/);
    const person = await serving(free, { columns: 80 });
    expect(person.written.stderr).toMatch(
      /^whirl: \S*warning\S*: the pool has no proxies: every request will be refused\n$/,
    );
  });

  it('--redis: it starts without the server, prints that, and shows no password', async () => {
    const redis = ['--redis', 'redis://:hunter2@127.0.0.1:9', '--fleet-pool', 'eu-1'];
    const serves = await serving([...free, ...redis, '--proxies', '127.0.0.1:9']);
    await expect.poll(() => serves.written.stderr, { timeout: 20_000 }).toContain('decides alone');
    expect(serves.written.stderr).toContain('"pool":"eu-1"');
    const { stdout, stderr } = await serves.stop();
    expect(stdout + stderr).not.toContain('hunter2');
  });

  it('W31 a list that holds the gateway itself is refused with 2, and nothing listens', async () => {
    const found = net.createServer().listen(0, '127.0.0.1');
    await once(found, 'listening');
    const { port } = found.address() as net.AddressInfo;
    await new Promise((resolve) => found.close(resolve));
    const gateway = `127.0.0.1:${port}`;
    const args = ['--gateway', gateway, '--api', '127.0.0.1:0', '--proxies', `localhost:${port}`];
    expect(await whirl(['serve', ...args])).toEqual({
      code: 2,
      stdout: '',
      stderr: `whirl: the proxy localhost:${port} of the pool is this gateway itself: remove it\n`,
    });
    await expect(connect(gateway, 'a.test:443')).rejects.toThrow(/ECONNREFUSED/);
  });

  it.each(['api', 'gateway'] as const)('a port of the %s in use is reported', async (listener) => {
    const taken = net.createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    use({ close: () => taken.close() });
    const { port } = taken.address() as net.AddressInfo;
    const args = ['serve', ...free, `--${listener}`, `127.0.0.1:${port}`, '--log-level', 'error'];
    expect(await whirl(args)).toEqual({
      code: 1,
      stdout: '',
      stderr: `whirl: port ${port} of 127.0.0.1 is in use: choose another with --${listener} host:port\n`,
    });
  });

  it.each([
    [
      ['--gateway', '8001'],
      '--gateway must be host:port, such as 127.0.0.1:8001, or off, got "8001"',
    ],
    [
      ['--api', 'localhost'],
      '--api must be host:port, such as 127.0.0.1:8001, or off, got "localhost"',
    ],
    [['--gateway', '0.0.0.0:0'], '--gateway-auth or --gateway-auth-file'],
    [['--api', '0.0.0.0:0'], 'WHIRL_API_TOKEN or --api-token-file'],
    [['--api', 'off', '--gateway', 'off'], '--api and --gateway are both off'],
    [['--gateway-auth', 'hunter2'], '--gateway-auth must be name:password'],
    [['--gateway-auth', 'a:b', '--gateway-auth-file', '/no'], 'exclude each other'],
    [['--gateway-auth', 'a-session:hunter2'], 'whirl: --gateway-auth[0] must have a name without'],
    [['--gateway-auth-file', '/no/such'], '--gateway-auth-file: cannot read "/no/such"'],
    [['--api-token-file', '/no/such'], '--api-token-file: cannot read "/no/such"'],
    [['--redis', 'http://:hunter2@h'], '--redis must be a URL that begins with redis://'],
    [['--fleet-pool', 'a b'], '--fleet-pool must be 1 to 200 characters'],
    [['--log-level', 'loud'], '--log-level must be "trace", "debug", '],
    [['--config', '/no/such'], '--config: cannot read "/no/such"'],
    [['--list-format', 'host;'], '--list-format must be '],
    [['--proxies-file', '/no/such'], 'cannot read "/no/such" (ENOENT)'],
    [['--proxies-file', 'http://a:hunter2@h/list'], 'cannot read a path that looks like a URL'],
    [['--config', 'http://a:hunter2@h/'], '--config: cannot read a path that looks like a URL'],
    [['--fleet-pool', 'http://a:hunter2@h x'], 'spaces and braces, got a string'],
    [['--proxies', 'http://a:hunter2@'], 'whirl: --proxies:1: '],
    [['list.txt'], 'too many arguments'],
  ])('%j is refused with 2 and by name', async (args, message) => {
    const { code, stdout, stderr } = await whirl(['serve', ...args]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain('hunter2');
  });

  it('A10 SIGHUP, of a terminal that closes, ends it in order', async () => {
    const { child, written, ended } = start(['serve', ...free, '--proxies', '127.0.0.1:9']);
    await expect.poll(() => written.stdout, { timeout: 30_000 }).toContain('gateway at');
    child.kill('SIGHUP');
    expect([await ended, written.stderr]).toEqual([0, '']);
  });

  it('A10 a terminal that closes ends it in order', async () => {
    if (spawnSync('script', ['--version']).status !== 0) {
      process.stdout.write('A10: this system has no script of util-linux, nothing was tried\n');
      return;
    }
    const folder = await mkdtemp(join(tmpdir(), 'whirl-terminal-'));
    use({ close: () => rm(folder, { recursive: true }) });
    const status = join(folder, 'status');
    const serving = commandOf(['serve', ...free, '--proxies', '127.0.0.1:9']);
    const words = serving.map((word) => `'${word}'`).join(' ');
    // The shell lives on, and notes how its child has ended.
    const command = `trap '' HUP; ${words} & echo pid $!; wait $!; echo $? > ${status}`;
    const terminal = spawn('script', ['-qec', command, '/dev/null']);
    use({ close: () => terminal.kill('SIGKILL') });
    let text = '';
    terminal.stdout.on('data', (chunk) => (text += String(chunk)));
    const pid = () => Number(/pid (\d+)/.exec(text)?.[1]);
    let ended = false;
    // It outlives the terminal that is killed.
    use({ close: () => void (ended || Number.isNaN(pid()) || process.kill(pid(), 'SIGKILL')) });
    await expect.poll(() => text, { timeout: 30_000 }).toContain('gateway at');
    terminal.kill('SIGKILL');
    await once(terminal, 'close');
    // As an interactive shell does.
    process.kill(pid(), 'SIGHUP');
    // 128 + SIGHUP; an abort of Node is 134.
    const read = () => readFile(status, 'utf8').catch(() => '');
    await expect.poll(read, { timeout: 30_000 }).toMatch(/\n$/);
    ended = true;
    expect(await read()).toBe('129\n');
  });

  it('A10 SIGTERM accepts nothing more and lets a request finish; the exit code is 0', async () => {
    let answer = () => {};
    const target = http.createServer((_request, response) => {
      answer = () => response.end('late');
    });
    target.listen(0, '127.0.0.1');
    await once(target, 'listening');
    use({ close: () => target.close() });
    const proxy = use(await startProxy());
    const { child, written, ended } = start(['serve', ...free, '--proxies', proxy.url]);
    await expect.poll(() => written.stdout, { timeout: 30_000 }).toContain('gateway at');
    const gateway = /gateway at ([^,]+)/.exec(written.stdout)?.[1] ?? '';
    const { port } = target.address() as net.AddressInfo;
    const arrived = once(target, 'request');
    const status = through(gateway, `http://127.0.0.1:${port}/`);
    await arrived;
    // As under npx, where it comes twice.
    child.kill('SIGINT');
    child.kill('SIGTERM');
    const [host, closed] = gateway.split(':');
    await expect
      .poll(
        () =>
          new Promise((resolve) => {
            const socket = net.connect(Number(closed), host);
            socket.on('error', () => resolve('refused'));
            socket.on('connect', () => resolve(socket.destroy().destroyed));
          }),
        { timeout: 20_000 },
      )
      .toBe('refused');
    answer();
    expect(await status).toBe(200);
    expect([await ended, written.stderr]).toEqual([0, '']);
  });
});

describe('L3 what a person reads', () => {
  const plain = new PassThrough();
  const about = {
    ...{ url: 'http://127.0.0.1:8000', dashboard: true, gateway: '0.0.0.0:8001' },
    ...{ client: undefined, token: false, proxies: 1234 },
  };

  it('an address that stands for all of a machine is one that can be asked for', () => {
    const text = greeting(about, plain);
    expect(text).toContain('1,234 proxies, gateway at 0.0.0.0:8001');
    expect(text).toContain('curl -x http://127.0.0.1:8001 ');
    expect(greeting({ ...about, gateway: '[::]:8001' }, plain)).toContain('http://[::1]:8001');
  });

  it('the name of a client is one word of a shell, one part of a URL and one string', () => {
    const text = greeting({ ...about, client: "o'x y" }, plain);
    expect(text).toContain(`-U 'o'\\''x y' `);
    expect(text).toContain('http://o%27x%20y:PASSWORD@');
    expect(text).toContain(`username: 'o\\'x y', password`);
  });

  it('a token is named in the lines of the API', () => {
    const text = greeting({ ...about, gateway: undefined, token: true }, plain);
    expect(text.match(/Bearer \$TOKEN/g)).toHaveLength(3);
  });

  it('a line of the log keeps what it is about', () => {
    const line = JSON.stringify({
      ...{ level: 50, time: 1, file: 'a.txt', issues: [1], err: { message: 'no' }, msg: 'bad' },
    });
    expect(readable(line, plain)).toBe('whirl: error: bad (no, file a.txt, issues [1])\n');
    expect(readable('{"level":30,"time":1,"msg":"fine"}\n', plain)).toBe('whirl: fine\n');
  });
});
