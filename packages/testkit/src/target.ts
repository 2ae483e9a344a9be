import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { gzipSync } from 'node:zlib';
import { certificateOf } from './certificate.ts';
import { listen, OpenSockets, stop } from './open-sockets.ts';

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
  /** Sockets open now. */
  openSockets(): number;
  /** Resolves when no socket is open. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

export interface TargetOptions {
  /** Speak TLS. Default false. */
  readonly tls?: boolean;
  /** A loopback address. Default 127.0.0.1. */
  readonly host?: string;
  /** Rejects when it is in use. Default: a free one. */
  readonly port?: number;
  /** Over TLS: only clients with a certificate of this authority, in PEM, are let in. */
  readonly clientCa?: string;
}

/**
 * Starts a target on loopback: `/`, `/status/NNN`, `/echo`, `/delay/MS`, `/bytes/N`, `/cut`,
 * `/redirect`, `/gzip`. Over TLS its certificate is made at start.
 */
export async function startTarget(options: TargetOptions = {}): Promise<Target> {
  const { tls = false, host = '127.0.0.1', clientCa } = options;
  const received: Target['received'][number][] = [];
  const sockets = new OpenSockets();
  const timers = new Set<NodeJS.Timeout>();
  let requests = 0;
  const respond = (request: http.IncomingMessage, response: http.ServerResponse, body: Buffer) => {
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
        response.writeHead(200, { 'content-length': value }).end(Buffer.alloc(Number(value), 97));
        return;
      case 'cut':
        response.writeHead(200, { 'content-length': '20' });
        response.write('half of it', () => sockets.reset(request.socket));
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
      respond(request, response, body);
    });
  };
  const certificate = tls ? await certificateOf() : undefined;
  const server =
    certificate === undefined
      ? http.createServer(listener)
      : https.createServer(
          {
            ...certificate,
            ...(clientCa === undefined
              ? {}
              : { ca: clientCa, requestCert: true, rejectUnauthorized: true }),
          },
          listener,
        );
  server.on('connection', (socket: net.Socket) => sockets.add(socket));
  server.on('tlsClientError', () => {});
  const port = await listen(server, options.port ?? 0, host);
  const urlHost = net.isIPv6(host) ? `[${host}]` : host;
  const origin = `${tls ? 'https' : 'http'}://${urlHost}:${port}`;
  return {
    url: `${origin}/`,
    origin,
    port,
    ca: certificate?.cert,
    received,
    get requests() {
      return requests;
    },
    openSockets: () => sockets.size,
    idle: () => sockets.whenNone(),
    close: () => {
      for (const timer of timers) clearTimeout(timer);
      return stop(server, sockets);
    },
  };
}
