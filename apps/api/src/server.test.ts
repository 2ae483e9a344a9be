import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { startProxy, startTarget } from '@whirl/testkit';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readEvents } from '../../../packages/server/src/testing/event-reader.ts';

const entry = fileURLToPath(new URL('./server.ts', import.meta.url));

interface Started {
  readonly child: ChildProcessWithoutNullStreams;
  /** Resolves with the line of the log that matches. */
  line(pattern: RegExp): Promise<string>;
  readonly exit: Promise<number | null>;
  readonly stdout: string;
  readonly stderr: string;
}

/** The server as people run it: a process of its own, from sources. */
function run(env: Record<string, string>): Started {
  const child = spawn(
    process.execPath,
    ['--conditions=@whirl/source', '--import', 'tsx', entry, '--port', '0', '--no-demo'],
    { env: { PATH: process.env.PATH ?? '', ...env } },
  );
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  let stdout = '';
  let stderr = '';
  let wake = () => {};
  let over = false;
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
    wake();
  });
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const exit = new Promise<number | null>((resolve) => {
    child.on('close', (code) => {
      over = true;
      wake();
      resolve(code);
    });
  });
  return {
    child,
    exit,
    get stdout() {
      return stdout;
    },
    get stderr() {
      return stderr;
    },
    async line(pattern) {
      for (;;) {
        const found = stdout.split('\n').find((line) => pattern.test(line));
        if (found !== undefined) return found;
        if (over) throw new Error(`it ended without ${pattern}:\n${stdout}${stderr}`);
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
}

async function addressOf(server: Started): Promise<string> {
  const line = await server.line(/whirl listens at/);
  return /http:\/\/[^"]+/.exec(line)?.[0] ?? '';
}

/** Sends a request for a target that answers when it is told. */
async function startHeldRequest(env: Record<string, string>) {
  let answer = () => {};
  let arrived = () => {};
  const atTarget = new Promise<void>((resolve) => (arrived = resolve));
  const target = http.createServer((_request, response) => {
    answer = () => response.end('late');
    arrived();
  });
  await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve));
  const proxy = await startProxy();
  onTestFinished(async () => {
    target.closeAllConnections();
    target.close();
    await proxy.close();
  });
  const server = run({ WHIRL_PROXIES: proxy.url, ...env });
  const address = await addressOf(server);
  const events = await readEvents(`${address}/api/v1/events`);
  const response = fetch(`${address}/api/v1/request`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ url: `http://127.0.0.1:${(target.address() as AddressInfo).port}/` }),
  });
  response.catch(() => {});
  await atTarget;
  return { server, address, events, response, answer: () => answer() };
}

describe('A10 the life of the server', () => {
  it('A10 SIGTERM accepts nothing more, ends streams, lets requests finish, and exits 0', async () => {
    const { server, address, events, response, answer } = await startHeldRequest({
      WHIRL_SHUTDOWN_TIMEOUT: '60',
    });
    server.child.kill('SIGTERM');
    await events.ended;
    await expect(fetch(`${address}/health/live`)).rejects.toThrow();
    answer();
    const finished = await response;
    expect(finished.headers.get('connection')).toBe('close');
    expect(await finished.json()).toMatchObject({ status_code: 200, body: 'late' });
    expect(await server.exit).toBe(0);
    expect(server.stderr).toBe('');
  });

  it('A10 SIGHUP, of a terminal that closes, lets requests finish too, and exits 0', async () => {
    const { server, events, response, answer } = await startHeldRequest({
      WHIRL_SHUTDOWN_TIMEOUT: '60',
    });
    server.child.kill('SIGHUP');
    await events.ended;
    answer();
    expect(await (await response).json()).toMatchObject({ status_code: 200, body: 'late' });
    expect(await server.exit).toBe(0);
    expect(server.stdout).toContain('"signal":"SIGHUP"');
  });

  it('A10 what does not finish within WHIRL_SHUTDOWN_TIMEOUT is cut, and it still exits 0', async () => {
    const { server, response } = await startHeldRequest({ WHIRL_SHUTDOWN_TIMEOUT: '0.1' });
    server.child.kill('SIGINT');
    await expect(response).rejects.toThrow();
    expect(await server.exit).toBe(0);
    expect(server.stderr).toBe('');
  });

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'A10 one Ctrl-C that arrives twice, as SIGINT and %s, cuts nothing and exits 0',
    async (again) => {
      const { server, response, answer } = await startHeldRequest({ WHIRL_SHUTDOWN_TIMEOUT: '60' });
      server.child.kill('SIGINT');
      await server.line(/whirl stops/);
      server.child.kill(again);
      // Time for the signal to arrive, before the request ends by itself.
      await new Promise((resolve) => setTimeout(resolve, 200));
      answer();
      expect(await (await response).json()).toMatchObject({ status_code: 200, body: 'late' });
      expect(await server.exit).toBe(0);
    },
  );

  it('A10 a second signal, a second later, ends it at once', async () => {
    const { server, response } = await startHeldRequest({ WHIRL_SHUTDOWN_TIMEOUT: '3600' });
    server.child.kill('SIGTERM');
    await server.line(/whirl stops/);
    await new Promise((resolve) => setTimeout(resolve, 1050));
    server.child.kill('SIGTERM');
    expect(await server.exit).toBe(1);
    await expect(response).rejects.toThrow();
  });

  it('A10 a port in use is reported in one line, with exit code 1', async () => {
    const other = http.createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      other.close();
    });
    const { port } = other.address() as AddressInfo;
    const child = spawn(process.execPath, [
      '--conditions=@whirl/source',
      '--import',
      'tsx',
      entry,
      '--port',
      String(port),
    ]);
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect(code).toBe(1);
    expect(stderr).toBe(
      `whirl: port ${port} of 127.0.0.1 is in use: choose another with --port or WHIRL_API_PORT\n`,
    );
  });

  it('A9 every error of the configuration is reported, one a line, with exit code 1', async () => {
    const server = run({ WHIRL_LOG_LEVEL: 'loud', WHIRL_API_HOST: '0.0.0.0' });
    expect(await server.exit).toBe(1);
    expect(server.stderr.trim().split('\n')).toEqual([
      expect.stringMatching(/^whirl: the host "0\.0\.0\.0" can be reached/),
      expect.stringMatching(/^whirl: WHIRL_LOG_LEVEL must be one of/),
    ]);
  });

  it('A10 logs are JSON lines: attempts at debug, circuits at warn, and no secret', async () => {
    const target = await startTarget();
    const proxy = await startProxy({
      username: 'bob',
      password: 'hunter2',
      behaviour: { kind: 'reset' },
    });
    onTestFinished(async () => {
      await proxy.close();
      await target.close();
    });
    const server = run({
      WHIRL_PROXIES: `http://bob:hunter2@127.0.0.1:${proxy.port}`,
      WHIRL_LOG_LEVEL: 'debug',
      WHIRL_API_TOKEN: 'open-sesame',
      WHIRL_TYPO: 'x',
    });
    const address = await addressOf(server);
    const ask = (token: string) =>
      fetch(`${address}/api/v1/request`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: JSON.stringify({
          url: target.url,
          retry_policy: { max_attempts: 5, base_delay: 0.1, backoff_strategy: 'fixed' },
        }),
      });
    expect((await ask('wrong-guess')).status).toBe(401);
    expect((await ask('open-sesame')).status).toBe(502);
    const lines = () =>
      server.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { level: number; msg: string });
    await server.line(/circuit breaker closed to open/);
    const levelOf = (pattern: RegExp) => lines().find(({ msg }) => pattern.test(msg))?.level;
    expect(levelOf(/^unknown variable WHIRL_TYPO/)).toBe(40);
    expect(levelOf(/^Attempt/)).toBe(20);
    expect(levelOf(/^Retry attempt/)).toBe(20);
    expect(levelOf(/^circuit breaker closed to open/)).toBe(40);
    server.child.kill('SIGTERM');
    expect(await server.exit).toBe(0);
    for (const secret of ['hunter2', 'open-sesame', 'wrong-guess']) {
      expect(server.stdout + server.stderr).not.toContain(secret);
    }
  });
});
