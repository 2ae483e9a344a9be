import { EventEmitter, once } from 'node:events';
import {
  createReadStream,
  mkdtempSync,
  openAsBlob,
  rmSync,
  writeFileSync,
  type ReadStream,
} from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { pipeline, stream } from 'undici';
import { afterAll, describe, expect, it } from 'vitest';
import type { RequestBody } from '../../src/index.ts';
import { errorOf, fast, rig } from '../support/pool-rig.ts';
import { use } from '../support/rig.ts';

const retried = { ...fast, retryNonIdempotent: true };
const folder = mkdtempSync(join(tmpdir(), 'whirl-'));
const path = join(folder, 'upload');
const file = Buffer.alloc(3_000_000, 'file ');
writeFileSync(path, file);
afterAll(() => rmSync(folder, { recursive: true }));

describe('F5 a function gives each attempt a fresh body', () => {
  const made = (opened: ReadStream[]) => () => {
    const each = createReadStream(path);
    opened.push(each);
    return each;
  };

  it('a file of any size is retried; streams of attempts that are over are destroyed', async () => {
    const { rotator, target } = await rig([{ kind: 'refuse' }, { kind: 'reset' }, { kind: 'ok' }], {
      retryPolicy: retried,
    });
    const opened: ReadStream[] = [];
    const response = await rotator.put(`${target.origin}/echo`, { body: made(opened) });
    expect((await response.body.text()) === file.toString()).toBe(true);
    expect(response.attempts).toHaveLength(3);
    expect(opened.map(({ destroyed }) => destroyed)).toEqual([true, true, true]);
  });

  it('its error is the error of the request', async () => {
    const { rotator, target, told } = await rig([{ kind: 'ok' }], { retryPolicy: retried });
    const body = () => createReadStream(join(folder, 'missing'));
    const error = await errorOf(rotator.put(target.url, { body }));
    expect(error).toMatchObject({ code: 'ENOENT' });
    expect(told('retry:scheduled')).toEqual([]);
  });

  it('one that never gives it ends by the deadline, and no proxy is blamed', async () => {
    const { rotator, target, told, proxies } = await rig([{ kind: 'ok' }], {
      retryPolicy: { maxAttempts: 1, attemptTimeoutMs: 50 },
    });
    const body = () => new Promise<string>(() => {});
    expect(await errorOf(rotator.put(target.url, { body }))).toMatchObject({
      cause: {
        code: 'ATTEMPT_TIMEOUT',
        phase: 'select',
        message: expect.stringContaining('no more of the request body'),
      },
    });
    expect(told('attempt:end')).toMatchObject([{ blame: 'caller' }]);
    expect(proxies[0]?.stats.connections).toBe(0);
  });

  it('what it opens after the request has ended is destroyed', async () => {
    const { rotator, target } = await rig([{ kind: 'ok' }]);
    const late = new PassThrough();
    let give: (body: Readable) => void = () => {};
    const body = () => new Promise<Readable>((resolve) => (give = resolve));
    const abort = new AbortController();
    const failed = errorOf(rotator.put(target.url, { body, signal: abort.signal }));
    await Promise.resolve();
    abort.abort();
    await failed;
    give(late);
    await once(late, 'close');
    expect(target.requests).toBe(0);
  });

  it('fetch takes it too, keeps its type and length, and follows 307 with a fresh one', async () => {
    const seen: string[] = [];
    const server = http
      .createServer((request, response) => {
        void (async () => {
          let text = '';
          for await (const chunk of request) text += String(chunk);
          const { 'content-type': type, 'content-length': length } = request.headers;
          seen.push(`${request.method} ${type} ${length} ${text}`);
          const moved = request.url?.endsWith('/1') === true;
          response.writeHead(moved ? 307 : 200, moved ? { location: '/2' } : {}).end();
        })();
      })
      .listen(0, '127.0.0.1');
    await once(server, 'listening');
    use({ close: () => (server.closeAllConnections(), server.close()) });
    const { rotator } = await rig([]);
    rotator.addProxy(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const body = () => new Blob(['fresh'], { type: 'text/x' });
    const response = await rotator.fetch('http://t.test/1', { method: 'PUT', body });
    expect(response.status).toBe(200);
    expect(seen).toEqual(['PUT text/x 5 fresh', 'PUT text/x 5 fresh']);
  });
});

describe('F5 every kind of body arrives whole after a failure', () => {
  class Old extends EventEmitter {
    readonly readable = true;
    pipe(to: PassThrough): PassThrough {
      this.on('data', (chunk) => to.write(chunk)).on('end', () => to.end());
      setImmediate(() => {
        this.emit('data', 'who');
        this.emit('data', Buffer.from('le'));
        this.emit('end');
      });
      return to;
    }
  }
  const form = () => {
    const each = new FormData();
    each.append('who\nle"', 'a\nb');
    each.append('file', new Blob(['in it'], { type: 'text/x' }), 'f"\r.txt');
    return each;
  };
  const kinds: [string, () => RequestBody | Promise<RequestBody>, string | RegExp, boolean][] = [
    ['a stream', () => Readable.from(['who', 'le']), 'whole', false],
    ['a stream of known length', () => new PassThrough().end('whole'), 'whole', true],
    ['a stream of the older kind', () => new Old() as never, 'whole', false],
    ['a web stream', () => new Blob(['whole']).stream() as never, 'whole', false],
    ['a generator', () => ['who', 'le'].values() as never, 'whole', false],
    ['an array', () => ['who', Buffer.from('le')], 'whole', true],
    ['shared memory', () => new Uint8Array(new SharedArrayBuffer(3)), '\0\0\0', true],
    ['an empty Blob', () => new Blob([], { type: 'text/x' }), '', true],
    ['a file as a Blob', () => openAsBlob(path), file.toString(), true],
    [
      'a form',
      form,
      /^--(\S+)\r\nContent-Disposition: form-data; name="who%0D%0Ale%22"\r\n\r\na\r\nb\r\n--\1\r\nContent-Disposition: form-data; name="file"; filename="f%22%0D.txt"\r\nContent-Type: text\/x\r\n\r\nin it\r\n--\1--\r\n$/,
      true,
    ],
  ];
  it.each(kinds)('%s', async (_, make, expected, known) => {
    const { rotator, target } = await rig([{ kind: 'reset' }, { kind: 'ok' }], {
      retryPolicy: retried,
    });
    const response = await rotator.put(`${target.origin}/echo`, { body: await make() });
    const text = await response.body.text();
    if (typeof expected === 'string') expect(text === expected).toBe(true);
    else expect(text).toMatch(expected);
    expect(response.attempts).toHaveLength(2);
    const { headers } = target.received.at(-1) ?? {};
    if (known) expect(headers?.['content-length']).toBe(String(Buffer.byteLength(text)));
  });

  it('through undici.stream and undici.pipeline', async () => {
    const { rotator, target } = await rig([{ kind: 'refuse' }, { kind: 'ok' }]);
    const { dispatcher } = rotator;
    const sink = new PassThrough();
    const options = { dispatcher, method: 'PUT', opaque: sink } as const;
    const body = Readable.from(['who', 'le']);
    await stream(`${target.origin}/echo`, { ...options, body }, () => sink);
    expect(String(sink.read())).toBe('whole');
    const piped = pipeline(`${target.origin}/echo`, options, ({ body: answer }) => answer);
    piped.end('piped');
    let text = '';
    for await (const chunk of piped) text += String(chunk);
    expect(text).toBe('piped');
  });
});

describe('F5 an upload that cannot be repeated', () => {
  it('past 1 MiB is final, and the error names the reason and what helps', async () => {
    const { rotator, target, told } = await rig([{ kind: 'ok' }, { kind: 'ok' }], {
      retryPolicy: retried,
      banRules: [],
    });
    let first = true;
    const server = http
      .createServer((request) => {
        let size = 0;
        request.on('error', () => {});
        request.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (first && size > 1_200_000) request.socket.resetAndDestroy();
        });
        request.on('end', () => (first = false));
      })
      .listen(0, '127.0.0.1');
    await once(server, 'listening');
    use({ close: () => (server.closeAllConnections(), server.close()) });
    rotator.setProxies([`http://127.0.0.1:${(server.address() as AddressInfo).port}`]);
    const error = await errorOf(rotator.put(target.url, { body: createReadStream(path) }));
    expect(error).toMatchObject({ code: 'PROXY_CONNECTION' });
    expect(error.message).toMatch(/not retried, because more than 1 MiB of the body.*function/);
    expect(error.stack).toContain(error.message);
    expect(told('retry:refused')).toMatchObject([{ reason: 'body' }]);
  });

  it('a request that a server received is not destroyed with the request that sent it on', async () => {
    const { rotator } = await rig([{ kind: 'refuse' }], { retryPolicy: null });
    const gateway = http
      .createServer((incoming, response) => {
        void rotator
          .post('http://t.test/', { body: incoming })
          .catch((error: { code?: string }) => response.writeHead(502).end(error.code));
      })
      .listen(0, '127.0.0.1');
    await once(gateway, 'listening');
    use({ close: () => (gateway.closeAllConnections(), gateway.close()) });
    const url = `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`;
    const response = await fetch(url, { method: 'POST', body: 'x'.repeat(500_000) });
    expect([response.status, await response.text()]).toEqual([502, 'RETRIES_EXHAUSTED']);
  });
});
