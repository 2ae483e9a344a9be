import http from 'node:http';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { generate } from 'selfsigned';

export interface Target {
  readonly url: string;
  readonly origin: string;
  readonly port: number;
  /** The certificate to trust, in PEM; only over TLS. */
  readonly ca: string | undefined;
  /** Requests received so far. */
  readonly requests: number;
  readonly received: readonly {
    readonly method: string;
    readonly path: string;
    readonly headers: http.IncomingHttpHeaders;
    readonly body: string;
  }[];
  close(): Promise<void>;
}

/**
 * Starts a target on loopback: `/`, `/status/NNN`, `/echo`, `/delay/MS`, `/bytes/N`, `/cut`,
 * `/redirect`, `/gzip`. Over TLS its certificate is made at start.
 */
export async function startTarget({ tls = false }: { tls?: boolean } = {}): Promise<Target> {
  const received: Target['received'][number][] = [];
  const sockets = new Set<Socket>();
  const timers = new Set<NodeJS.Timeout>();
  let requests = 0;
  const answer = (request: http.IncomingMessage, response: http.ServerResponse, body: Buffer) => {
    const { method = 'GET', url = '/' } = request;
    const { pathname, searchParams } = new URL(url, 'http://target');
    const [, route = '', value = ''] = pathname.split('/');
    const json = { 'content-type': 'application/json' };
    switch (route) {
      case '':
        response.writeHead(200, json).end(JSON.stringify({ ok: true, path: pathname, method }));
        return;
      case 'status': {
        const retryAfter = searchParams.get('retry-after');
        response
          .writeHead(Number(value), retryAfter === null ? {} : { 'retry-after': retryAfter })
          .end(`status ${value}\n`);
        return;
      }
      case 'echo':
        response
          .writeHead(200, {
            'content-type': request.headers['content-type'] ?? 'text/plain',
            'x-method': method,
          })
          .end(body);
        return;
      case 'delay': {
        const timer = setTimeout(() => {
          timers.delete(timer);
          response.writeHead(200, json).end('{"ok":true}');
        }, Number(value));
        timers.add(timer);
        return;
      }
      case 'bytes':
        response.writeHead(200).end(Buffer.alloc(Number(value), 97));
        return;
      case 'cut':
        response.writeHead(200, { 'content-length': '20' });
        response.write('half of it', () => request.socket.resetAndDestroy());
        return;
      case 'redirect':
        response.writeHead(302, { location: '/' }).end();
        return;
      case 'gzip':
        response
          .writeHead(200, { ...json, 'content-encoding': 'gzip' })
          .end(gzipSync('{"gzip":true}'));
        return;
      default:
        response.writeHead(404).end('no such route\n');
    }
  };
  const listener: http.RequestListener = (request, response) => {
    requests++;
    const chunks: Buffer[] = [];
    request.on('error', () => {});
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      const { method = 'GET', url: path = '/', headers } = request;
      if (received.length < 1000) received.push({ method, path, headers, body: body.toString() });
      answer(request, response, body);
    });
  };
  const pems = tls
    ? await generate([{ name: 'commonName', value: 'localhost' }], {
        keySize: 2048,
        extensions: [
          { name: 'basicConstraints', cA: true },
          {
            name: 'subjectAltName',
            altNames: [
              { type: 2, value: 'localhost' },
              { type: 7, ip: '127.0.0.1' },
            ],
          },
        ],
      })
    : undefined;
  const server =
    pems === undefined
      ? http.createServer(listener)
      : https.createServer({ key: pems.private, cert: pems.cert }, listener);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const origin = `${tls ? 'https' : 'http'}://127.0.0.1:${port}`;
  return {
    url: `${origin}/`,
    origin,
    port,
    ca: pems?.cert,
    received,
    get requests() {
      return requests;
    },
    close: () =>
      new Promise((resolve) => {
        for (const timer of timers) clearTimeout(timer);
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
