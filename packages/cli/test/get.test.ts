import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProxy, startTarget } from '@whirl/testkit';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { start } from './support/process.ts';
import { use, whirl } from './support/whirl.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

const hangs = { kind: 'hang' } as const;

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'whirl-get-'));
  use({ close: () => rm(path, { recursive: true }) });
  return path;
}

describe('L2 whirl get', () => {
  it('writes the body to stdout and the way it took to stderr', async () => {
    const target = use(await startTarget());
    const proxy = use(await startProxy());
    const { code, stdout, stderr } = await whirl(['get', target.url, '--proxies', proxy.url]);
    expect([code, stdout]).toEqual([0, '{"ok":true,"path":"/","method":"GET"}']);
    expect(stderr).toMatch(/^whirl: 200 through 127\.0\.0\.1:\d+, 1 attempt, [\d.]+ s\n$/);
    expect(target.received[0]?.headers).toMatchObject({
      'user-agent': expect.stringMatching(/^whirl\/\d/),
      accept: '*/*',
    });
  });

  it('the bytes of the body are unchanged: nothing is decoded', async () => {
    const target = use(await startTarget());
    const proxy = use(await startProxy());
    const file = join(await folder(), 'body.gz');
    const { code, stdout } = await whirl([
      ...['get', `${target.origin}/gzip`, '--proxies', proxy.url, '-o', file],
    ]);
    expect([code, stdout]).toEqual([0, '']);
    expect((await readFile(file)).subarray(0, 2)).toEqual(Buffer.from([0x1f, 0x8b]));
  });

  it('fails over, prints each attempt, and shows no password', async () => {
    const target = use(await startTarget());
    const dead = use(await startProxy({ behaviour: { kind: 'refuse' } }));
    const locked = use(await startProxy({ username: 'user', password: 'right' }));
    const good = use(await startProxy({ username: 'user', password: 'hunter2' }));
    const wrong = `http://user:wrongword@127.0.0.1:${locked.port}`;
    const proxies = [dead.url, wrong, good.url].join(',');
    // Which of them comes first is drawn.
    for (let i = 0; i < 5; i++) {
      const args = ['get', target.url, '--proxies', proxies, '--retries', '5', '-v'];
      const { code, stderr } = await whirl(args);
      expect(code).toBe(0);
      expect(stderr).toContain(`200 through ${good.id}`);
      expect(stderr).toContain(`connected through ${good.id}: proxy reached in `);
      expect(stderr).not.toMatch(/hunter2|wrongword/);
      if (stderr.includes(dead.id)) {
        expect(stderr).toMatch(
          new RegExp(`attempt \\d through ${dead.id} failed: tcp after \\d+ ms`),
        );
      }
      if (stderr.includes(locked.id)) expect(stderr).toContain('failed: proxy_auth (headers)');
    }
  });

  it('-q is silent, whatever happens', async () => {
    const dead = use(await startProxy({ behaviour: { kind: 'refuse' } }));
    const args = ['get', 'http://127.0.0.1:1/', '--proxies', dead.url, '-q'];
    expect(await whirl(args)).toEqual({ code: 7, stdout: '', stderr: '' });
  });

  it.each([
    [7, 'no proxy leads to a response', { kind: 'refuse' }, []],
    [7, 'the proxy closes', { kind: 'close' }, []],
    [28, 'the time is up', hangs, ['--max-time', '200ms']],
    [28, 'the way takes too long', hangs, ['--connect-timeout', '100ms', '--retries', '0']],
    [22, '--fail', { kind: 'status', statusCode: 404 }, ['--fail']],
    [0, 'a bad status without --fail', { kind: 'status', statusCode: 404 }, []],
    [18, 'the body is cut off', { kind: 'cut-body', afterBytes: 5 }, []],
  ] as const)('exit code %d: %s', async (expected, what, behaviour, args) => {
    const target = use(await startTarget({ tls: what.startsWith('the way') }));
    const proxy = use(await startProxy({ behaviour }));
    const { code, stdout } = await whirl(['get', target.url, '--proxies', proxy.url, ...args]);
    expect(code).toBe(expected);
    if (args[0] === '--fail') expect(stdout).toBe('');
  });

  it('exit code 35: TLS with the target', async () => {
    const target = use(await startTarget({ tls: true }));
    const proxy = use(await startProxy());
    const { code, stderr } = await whirl(['get', target.url, '--proxies', proxy.url]);
    expect(code).toBe(35);
    expect(stderr).toContain('self-signed certificate');
  });

  it('exit codes 23 and 26: files that cannot be written or read', async () => {
    const target = use(await startTarget());
    const proxy = use(await startProxy());
    const args = ['get', target.url, '--proxies', proxy.url];
    const written = await whirl([...args, '-o', '/no/such/folder/file']);
    expect([written.code, written.stderr]).toEqual([
      23,
      expect.stringContaining('whirl: cannot write "/no/such/folder/file" (ENOENT)'),
    ]);
    const url = await whirl([...args, '-o', 'http://ann:hunter2@h/']);
    expect(url.stderr).toContain('whirl: cannot write a path that looks like a URL (ENOENT)');
    const read = await whirl([...args, '-d', '@/no/such/file']);
    expect([read.code, read.stderr]).toEqual([26, 'whirl: cannot read "/no/such/file" (ENOENT)\n']);
  });

  it('-X, -H, -d and -i as curl has them', async () => {
    const target = use(await startTarget());
    const proxy = use(await startProxy());
    const args = ['get', `${target.origin}/echo`, '--proxies', proxy.url];
    const form = await whirl([...args, '-d', 'a=1', '-d', 'b=2', '-i']);
    expect(form.stdout).toMatch(/^HTTP\/1\.1 200 OK\r\n(.+\r\n)+\r\na=1&b=2$/);
    expect(form.stdout).toContain('content-type: application/x-www-form-urlencoded\r\n');
    expect(form.stdout).toContain('x-method: POST\r\n');
    const file = join(await folder(), 'body.json');
    await writeFile(file, '{"a":1}\n');
    const json = ['-H', 'content-type: application/json', '-H', 'user-agent:'];
    const put = await whirl([...args, '-X', 'PUT', ...json, '-d', `@${file}`]);
    expect(put.stdout).toBe('{"a":1}\n');
    expect(target.received[1]).toMatchObject({
      method: 'PUT',
      headers: { 'content-type': 'application/json', 'content-length': '8' },
    });
    expect(target.received[1]?.headers['user-agent']).toBeUndefined();
    expect((await whirl([...args, '-d', '@-'], { stdin: 'piped' })).stdout).toBe('piped');
  });

  it.each(['CONNECT', 'G T'])(
    '-X %s is refused in one line, and nothing is sent',
    async (method) => {
      const proxy = use(await startProxy());
      const { code, stderr } = await whirl([
        ...['get', 'http://target.test/', '--proxies', proxy.url, '-X', method],
      ]);
      expect([code, proxy.stats.connections]).toEqual([2, 0]);
      expect(stderr).toMatch(/^whirl: (CONNECT cannot be sent|method must be an HTTP token) .+\n$/);
    },
  );

  it('--session takes the same proxy each time, and another one when that fails', async () => {
    const target = use(await startTarget());
    const proxies = [];
    for (let i = 0; i < 5; i++) proxies.push(use(await startProxy()));
    const list = proxies.map(({ url }) => url).join('\n');
    const taken = async (session: string, behind = list) => {
      const args = ['get', target.url, '--proxies-file', '-', '--session', session];
      const { stderr } = await whirl(args, { stdin: behind });
      return /through (\S+),/.exec(stderr)?.[1];
    };
    const first = await taken('a');
    expect([await taken('a'), await taken('a', list.split('\n').reverse().join('\n'))]).toEqual([
      first,
      first,
    ]);
    const others = await Promise.all(
      ['b', 'c', 'd', 'e', 'f', 'g', 'h'].map((name) => taken(name)),
    );
    expect(new Set([first, ...others]).size).toBeGreaterThan(1);
    await proxies.find(({ id }) => id === first)?.behave({ kind: 'refuse' });
    const second = await taken('a');
    expect(second).not.toBe(first);
    expect(await taken('a')).toBe(second);
  });

  it('an empty variable is unset', async () => {
    const proxy = use(await startProxy());
    const target = use(await startTarget());
    vi.stubEnv('WHIRL_PROXIES_FILE', '');
    vi.stubEnv('WHIRL_PROXIES', proxy.url);
    expect((await whirl(['get', target.url])).code).toBe(0);
    vi.stubEnv('WHIRL_PROXIES', ' ');
    const { code, stderr } = await whirl(['get', target.url]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/^whirl: no proxies: name them /)]);
  });

  it('an error in a variable is reported under its name, and shows no password', async () => {
    vi.stubEnv('WHIRL_PROXIES', 'http://bob:hunter2@:80');
    for (const command of [['get', 'http://a.test/'], ['serve']]) {
      const { code, stderr } = await whirl(command);
      expect([code, stderr]).toEqual([2, expect.stringMatching(/^whirl: WHIRL_PROXIES:1: /)]);
      expect(stderr).not.toContain('hunter2');
    }
  });

  it('proxies may stand in the environment, where no other process sees them', async () => {
    const target = use(await startTarget());
    const proxy = use(await startProxy());
    vi.stubEnv('WHIRL_PROXIES', proxy.url);
    expect((await whirl(['get', target.url])).code).toBe(0);
    // What is on the command line is all there is then.
    const dead = use(await startProxy({ behaviour: { kind: 'refuse' } }));
    const args = ['get', target.url, '--proxies-file', '-', '--retries', '0', '-q'];
    expect((await whirl(args, { stdin: dead.url })).code).toBe(7);
  });

  it.each([
    [['get', 'http://a.example/'], /^whirl: no proxies: name them with --proxies/],
    [
      ['get', 'a.example', '--proxies', 'p:1'],
      /^whirl: <url> must begin with http.*, got "a.example"$/m,
    ],
    [
      ['get', 'http://a.example/', '--proxies', 'bob:hunter2@,p:0'],
      /^whirl: --proxies:1: .*\nwhirl: --proxies:2: /,
    ],
    [
      ['get', 'http://a.example/', '--proxies', 'p:1', '-H', 'nonsense'],
      /^whirl: -H takes "name: value"/,
    ],
    [
      ['get', 'http://a.example/', '--proxies', 'p:1', '-d', 'b', '-d', '@a'],
      /^whirl: -d @file cannot be given/,
    ],
    [['get', 'http://a.example/', '--proxies-file', '-', '-d', '@-'], /both read stdin/],
    [['get', 'http://a.example/', '--proxies', 'p:1', '-H', 'a b: c'], /header "a b" is not valid/],
  ])('exit code 2: %j', async (args, message) => {
    const { code, stdout, stderr } = await whirl(args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain('hunter2');
  });

  it('a reader that closes its end stops it quietly', async () => {
    const target = use(await startTarget());
    const proxy = use(await startProxy());
    const args = ['get', `${target.origin}/bytes/50000000`, '--proxies', proxy.url];
    const { child, written, ended } = start(args);
    child.stdout?.once('data', () => child.stdout?.destroy());
    expect(await ended).toBe(0);
    expect(written.stderr).toMatch(/^whirl: 200 through .*\n$/);
  });
});
