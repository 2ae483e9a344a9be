import { createHash } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import type net from 'node:net';
import { gzipSync } from 'node:zlib';
import { certificateOf } from '@whirl/testkit';
import { freePort } from './ports.ts';
import { echoWebSocket } from './web-socket-echo.ts';

export const hosts = ['127.0.0.1', '::1'] as const;
export type Host = (typeof hosts)[number];

/** What a request to `/hold/…` or `/events/…` waits for. */
interface Gate {
  /** Resolves with the request's number there, 1 for the first. */
  readonly arrivals: (() => void)[];
  arrived: number;
  readonly waiting: (() => void)[];
  open: boolean;
}

/** The servers that the proxies are asked for: http and https on both loopback addresses. */
export class Targets {
  readonly ca: string;
  /** Nothing listens here. */
  readonly deadPort: number;
  readonly #ports = new Map<string, number>();
  readonly #servers: http.Server[] = [];
  readonly #sockets = new Set<net.Socket>();
  readonly #gates = new Map<string, Gate>();

  private constructor(ca: string, deadPort: number) {
    this.ca = ca;
    this.deadPort = deadPort;
  }

  static async start(): Promise<Targets> {
    const certificate = await certificateOf();
    const targets = new Targets(certificate.cert, await freePort());
    for (const kind of ['allowed', 'forbidden'] as const) {
      for (const secure of [false, true]) {
        for (const host of hosts) {
          const port = await freePort();
          const server = secure ? https.createServer(certificate) : http.createServer();
          targets.#serve(server);
          await new Promise<void>((resolve) => server.listen(port, host, () => resolve()));
          targets.#ports.set(`${kind} ${secure} ${host}`, port);
        }
      }
    }
    return targets;
  }

  port(secure: boolean, host: Host, kind: 'allowed' | 'forbidden' = 'allowed'): number {
    return this.#ports.get(`${kind} ${secure} ${host}`) as number;
  }

  ports(kind: 'allowed' | 'forbidden'): number[] {
    return [...this.#ports].filter(([key]) => key.startsWith(kind)).map(([, port]) => port);
  }

  /** Sockets open now, from whatever proxy. */
  get openSockets(): number {
    return this.#sockets.size;
  }

  /** Requests that came to a gate so far. */
  arrivals(name: string): number {
    return this.#gate(name).arrived;
  }

  /** Resolves when so many requests have come to a gate. */
  async arrived(name: string, count: number): Promise<void> {
    const gate = this.#gate(name);
    while (gate.arrived < count) await new Promise<void>((done) => gate.arrivals.push(done));
  }

  /** Lets the requests at a gate go on, those to come as well. */
  open(name: string): void {
    const gate = this.#gate(name);
    gate.open = true;
    for (const go of gate.waiting.splice(0)) go();
  }

  async close(): Promise<void> {
    for (const server of this.#servers) server.close();
    for (const socket of this.#sockets) socket.destroy();
    await Promise.resolve();
  }

  #gate(name: string): Gate {
    let gate = this.#gates.get(name);
    if (gate === undefined) {
      this.#gates.set(name, (gate = { arrivals: [], arrived: 0, waiting: [], open: false }));
    }
    return gate;
  }

  async #pass(name: string): Promise<void> {
    const gate = this.#gate(name);
    gate.arrived++;
    for (const tell of gate.arrivals.splice(0)) tell();
    if (!gate.open) await new Promise<void>((go) => gate.waiting.push(go));
  }

  #serve(server: http.Server): void {
    this.#servers.push(server);
    // Idle connections are the proxies' to close: a race with them is no subject of these tests.
    server.keepAliveTimeout = 0;
    server.on('connection', (socket: net.Socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => this.#sockets.delete(socket));
    });
    server.on('tlsClientError', () => {});
    server.on('upgrade', echoWebSocket);
    server.on('request', (request, response) => void this.#respond(request, response));
  }

  async #respond(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', 'http://target');
    const [, route = '', name = ''] = pathname.split('/');
    const plain = { 'content-type': 'text/plain' };
    request.on('error', () => {});
    switch (route) {
      case 'hello':
        request.resume();
        response.writeHead(200, { ...plain, 'content-length': 5 }).end('hello');
        return;
      case 'no-content':
        response.writeHead(204).end();
        return;
      case 'not-modified':
        // With the length that a 200 would have had, as RFC 9110, section 8.6, allows.
        response.writeHead(304, { etag: '"v1"', 'content-length': 5 }).end();
        return;
      case 'chunked':
        response.writeHead(200, plain);
        for (let i = 0; i < 10; i++) response.write(`chunk ${i}\n`);
        response.end();
        return;
      case 'gzip':
        response
          .writeHead(200, { ...plain, 'content-encoding': 'gzip' })
          .end(gzipSync('hello '.repeat(1000)));
        return;
      case 'echo': {
        const hash = createHash('sha256');
        let bytes = 0;
        request.on('data', (chunk: Buffer) => {
          hash.update(chunk);
          bytes += chunk.length;
        });
        request.on('end', () =>
          response.writeHead(200, plain).end(`${bytes} ${hash.digest('hex')}`),
        );
        return;
      }
      case 'events':
        response.writeHead(200, {
          'content-type': 'text/event-stream',
          'cache-control': 'no-store',
        });
        response.write('data: first\n\n');
        await this.#pass(name);
        response.write('data: second\n\n');
        return;
      case 'hold':
        request.resume();
        await this.#pass(name);
        response.writeHead(200, plain).end('released');
        return;
      default:
        response.writeHead(404, plain).end('no such route');
    }
  }
}
