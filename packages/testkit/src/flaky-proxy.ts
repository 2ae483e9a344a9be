import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import type { Duplex, Readable, Writable } from 'node:stream';
import { draw, type Behaviour } from './behaviour.ts';
import { certificateOf } from './certificate.ts';
import { listen, OpenSockets, stop } from './open-sockets.ts';

export interface FlakyProxy {
  /** With its credentials. */
  readonly url: string;
  /** As the rotator names it: `host:port`, or `user@host:port`. */
  readonly id: string;
  readonly host: string;
  readonly port: number;
  /** The certificate to trust, in PEM; only over TLS. */
  readonly ca: string | undefined;
  /** Connections accepted; requests received, CONNECT among them; CONNECT requests. */
  readonly stats: { connections: number; requests: number; connects: number };
  /** The first 1,000 requests, as they came. */
  readonly received: readonly {
    readonly method: string;
    /** The absolute URL, or the authority of CONNECT. */
    readonly url: string;
    readonly headers: http.IncomingHttpHeaders;
  }[];
  /** Takes effect for the next connection and request. */
  behave(behaviour: Behaviour): Promise<void>;
  /** Sockets open now, to clients and to targets. */
  openSockets(): number;
  /** Resolves when no socket is open. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

export interface ProxyServerOptions {
  /** Default: any that is free. */
  readonly port?: number;
  /** A loopback address. Default 127.0.0.1. */
  readonly host?: string;
  /** Demands these credentials; responds 407 without them. */
  readonly username?: string;
  readonly password?: string;
  /** TLS between the client and this proxy. */
  readonly tls?: boolean;
  /** Names that this proxy resolves itself, as a hosts file would. */
  readonly hosts?: Readonly<Record<string, string>>;
  /** Ports on 127.0.0.1 that stand for targets such as `shop.example.com:443`. `hosts` is asked next. */
  readonly targets?: Readonly<Record<string, number>>;
  /** Whether it may forward to this target; any other gets 403. Default: to all. */
  readonly reaches?: (hostname: string, port: number) => boolean;
  /** The body of that 403. Default: `proxy says 403`. */
  readonly unreachable?: string;
  /** Keep connections to targets for the next request. Default false: nothing is left open then. */
  readonly keepAlive?: boolean;
  readonly behaviour?: Behaviour;
  readonly random?: () => number;
}

const hopByHop = new Set([
  'proxy-authorization',
  'proxy-connection',
  'connection',
  'keep-alive',
  'transfer-encoding',
]);
/** Whose answer is no response to a request in absolute form either. */
const noTunnel = new Set<Behaviour['kind']>([
  'close-after-connect',
  'silent-after-connect',
  'plain-after-connect',
]);
const notHttp = '\u0000\u0001 this is not HTTP \u0002\r\n\r\n';
const established = 'HTTP/1.1 200 Connection established\r\n\r\n';
const largeHead = `HTTP/1.1 200 OK\r\nx-padding: ${'a'.repeat(65_536)}\r\n\r\n`;

/** Passes so many bytes on, then calls. */
function cut(from: Readable, to: Writable, bytes: number, then: () => void): void {
  let left = bytes;
  from.on('data', (chunk: Buffer) => {
    if (left <= 0) return;
    const part = chunk.subarray(0, left);
    left -= part.length;
    // Flushed before the end: a reset takes back what still waits to be sent.
    to.write(part, () => {
      if (left <= 0) then();
    });
  });
}

/** Starts a real forward proxy on loopback: CONNECT and absolute form, told how to misbehave. */
export async function startProxy(options: ProxyServerOptions = {}): Promise<FlakyProxy> {
  const { username, password = '', hosts = {}, targets = {}, random = Math.random } = options;
  const { keepAlive = false, reaches = () => true } = options;
  const host = options.host ?? '127.0.0.1';
  const urlHost = net.isIPv6(host) ? `[${host}]` : host;
  let behaviour: Behaviour = options.behaviour ?? { kind: 'ok' };
  const stats = { connections: 0, requests: 0, connects: 0 };
  const received: FlakyProxy['received'][number][] = [];
  const sockets = new OpenSockets();
  const timers = new Set<NodeJS.Timeout>();
  const agent = new http.Agent({ keepAlive });
  const expected = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;

  const note = ({ method = '', url = '', headers }: http.IncomingMessage) => {
    stats.requests++;
    if (received.length < 1000) received.push({ method, url, headers });
  };
  const resolve = ({ hostname, port }: URL) => {
    const stands = targets[`${hostname}:${port || 80}`];
    if (stands !== undefined) return { host: '127.0.0.1', port: stands };
    const name = hostname.replace(/^\[|\]$/g, '');
    return { host: hosts[name] ?? name, port: Number(port) || 80 };
  };
  const after = (ms: number, act: () => void) => {
    if (ms <= 0) {
      act();
      return;
    }
    const timer = setTimeout(() => {
      timers.delete(timer);
      act();
    }, ms);
    timers.add(timer);
  };
  const reset = (socket: Duplex) => sockets.reset(socket as net.Socket);
  const dribble = (socket: Duplex, bytes: Buffer, everyMs: number) => {
    if (bytes.length === 0 || socket.destroyed) return;
    socket.write(bytes.subarray(0, 1));
    after(everyMs, () => dribble(socket, bytes.subarray(1), everyMs));
  };
  const reachesUrl = ({ hostname, port }: URL) => reaches(hostname, Number(port) || 80);
  const refusalText = (wanted: URL, statusCode: number) =>
    statusCode === 403 && !reachesUrl(wanted) && options.unreachable !== undefined
      ? options.unreachable
      : `proxy says ${statusCode}\n`;
  /** The response in place of a forwarded one, if there is one. */
  const verdict = (chosen: Behaviour, request: http.IncomingMessage, wanted: URL) => {
    if (username !== undefined && request.headers['proxy-authorization'] !== expected) return 407;
    if (!reachesUrl(wanted)) return 403;
    const banned = chosen.bannedHosts?.find((each) => each.host === wanted.hostname);
    if (banned !== undefined) return banned.statusCode ?? 403;
    return chosen.kind === 'status' ? chosen.statusCode : undefined;
  };
  const extra = (chosen: Behaviour, statusCode: number): Record<string, string> => ({
    ...(statusCode === 407 ? { 'proxy-authenticate': 'Basic realm="proxy"' } : {}),
    ...(chosen.kind === 'status' && chosen.retryAfter !== undefined
      ? { 'retry-after': chosen.retryAfter }
      : {}),
  });
  /** True when the behaviour has dealt with the request, whatever it asks for. */
  const misbehaved = (chosen: Behaviour, socket: Duplex): boolean => {
    switch (chosen.kind) {
      case 'reset':
        reset(socket);
        return true;
      case 'close':
        socket.destroy();
        return true;
      case 'half-close':
        socket.end();
        return true;
      case 'garbage':
        socket.end(notHttp);
        return true;
      case 'large-header':
        socket.write(largeHead);
        return true;
      case 'dribble':
        if (chosen.part === 'body') return false;
        dribble(socket, Buffer.from('HTTP/1.1 200 OK\r\n\r\n'), chosen.everyMs ?? 1000);
        return true;
      default:
        return chosen.kind === 'hang';
    }
  };

  const forward = (
    chosen: Behaviour,
    url: URL,
    request: http.IncomingMessage,
    response: http.ServerResponse,
  ) => {
    const headers: string[] = [];
    for (let i = 0; i + 1 < request.rawHeaders.length; i += 2) {
      const name = request.rawHeaders[i] as string;
      if (!hopByHop.has(name.toLowerCase()))
        headers.push(name, request.rawHeaders[i + 1] as string);
    }
    // Node sends no DELETE in chunks by itself.
    if (request.headers['transfer-encoding'] !== undefined) {
      headers.push('transfer-encoding', 'chunked');
    }
    const upstream = http.request({
      ...resolve(url),
      path: url.pathname + url.search,
      method: request.method ?? 'GET',
      headers: headers as never,
      agent,
    });
    upstream.on('socket', (socket) => sockets.add(socket));
    upstream.on('error', () => {
      if (response.headersSent) reset(request.socket);
      else response.writeHead(502).end();
    });
    upstream.on('response', (incoming) => {
      const kept = incoming.rawHeaders.filter(
        (_, i, all) => !hopByHop.has((all[i - (i % 2)] as string).toLowerCase()),
      );
      response.writeHead(incoming.statusCode ?? 502, incoming.statusMessage, kept);
      incoming.on('error', () => reset(request.socket));
      if (chosen.kind === 'dribble') {
        response.flushHeaders();
        const one = () => {
          if (response.destroyed) return;
          const byte = incoming.read(1) as Buffer | null;
          if (byte !== null) response.write(byte);
          if (incoming.readableEnded) response.end();
          else after(chosen.everyMs ?? 1000, one);
        };
        one();
      } else if (chosen.kind === 'cut-body') {
        cut(incoming, response, chosen.afterBytes ?? 1, () => reset(request.socket));
        incoming.on('end', () => setImmediate(() => reset(request.socket)));
      } else incoming.pipe(response);
    });
    response.on('close', () => upstream.destroy());
    request.pipe(upstream);
  };

  const listener: http.RequestListener = (request, response) => {
    note(request);
    const chosen = draw(behaviour, random);
    response.on('error', () => {});
    after(chosen.latencyMs ?? 0, () => {
      if (misbehaved(chosen, request.socket) || noTunnel.has(chosen.kind)) {
        // It still reads, so that it notices when a client with a long body has gone.
        request.resume();
        if (chosen.kind === 'close-after-connect') request.socket.end();
        else if (chosen.kind === 'plain-after-connect') request.socket.end(notHttp);
        return;
      }
      if (!URL.canParse(request.url ?? '')) response.writeHead(400).end();
      else {
        const url = new URL(request.url ?? '');
        const refused = verdict(chosen, request, url);
        if (refused === undefined) forward(chosen, url, request, response);
        else response.writeHead(refused, extra(chosen, refused)).end(refusalText(url, refused));
      }
    });
  };
  const certificate = options.tls === true ? await certificateOf() : undefined;
  const server =
    certificate === undefined
      ? http.createServer(listener)
      : https.createServer(certificate, listener);

  const tunnel = (chosen: Behaviour, authority: string, socket: net.Socket, head: Buffer) => {
    const upstream = net.connect(resolve(new URL(`http://${authority}`)));
    sockets.add(upstream);
    upstream.on('connect', () => {
      socket.write(established);
      if (head.length > 0) upstream.write(head);
      socket.pipe(upstream);
      if (chosen.kind !== 'cut-body') {
        upstream.pipe(socket);
        return;
      }
      cut(upstream, socket, chosen.afterBytes ?? 4096, () => reset(socket));
    });
    upstream.on('error', () => {
      if (socket.writable) socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
    });
    upstream.on('close', () => socket.destroySoon());
    socket.on('close', () => upstream.destroy());
  };
  server.on('connect', (request: http.IncomingMessage, socket: net.Socket, head: Buffer) => {
    note(request);
    stats.connects++;
    const chosen = draw(behaviour, random);
    after(chosen.latencyMs ?? 0, () => {
      if (chosen.kind !== 'ok' && chosen.kind !== 'cut-body') {
        // A proxy that misbehaves still reads, so that it notices when the client has gone.
        socket.on('end', () => socket.destroySoon()).resume();
      }
      if (misbehaved(chosen, socket)) return;
      const authority = request.url ?? '';
      const refused = verdict(chosen, request, new URL(`http://${authority}`));
      if (refused !== undefined) {
        const lines = Object.entries(extra(chosen, refused)).map(([k, v]) => `${k}: ${v}\r\n`);
        const reason = http.STATUS_CODES[refused] ?? '';
        socket.end(`HTTP/1.1 ${refused} ${reason}\r\n${lines.join('')}content-length: 0\r\n\r\n`);
      } else if (chosen.kind === 'close-after-connect') socket.end(established);
      else if (chosen.kind === 'silent-after-connect') socket.write(established);
      else if (chosen.kind === 'plain-after-connect') socket.end(established + notHttp);
      else tunnel(chosen, authority, socket, head);
    });
  });
  server.on('connection', (socket: net.Socket) => {
    stats.connections++;
    sockets.add(socket);
    if (behaviour.kind === 'close') socket.destroy();
  });
  server.on('clientError', (_, socket) => socket.destroy());
  const halt = () => {
    for (const timer of timers) clearTimeout(timer);
    timers.clear();
    return stop(server, sockets);
  };

  const port = await listen(server, options.port ?? 0, host);
  if (behaviour.kind === 'refuse') await halt();
  const user = username === undefined ? '' : encodeURIComponent(username);
  const credentials =
    username === undefined ? '' : `${user}${password && `:${encodeURIComponent(password)}`}@`;
  return {
    url: `${certificate === undefined ? 'http' : 'https'}://${credentials}${urlHost}:${port}`,
    id: `${username === undefined ? '' : `${username}@`}${urlHost}:${port}`,
    host,
    port,
    ca: certificate?.cert,
    stats,
    received,
    async behave(next) {
      behaviour = next;
      if (next.kind === 'refuse') await halt();
      else if (!server.listening) await listen(server, port, host);
    },
    openSockets: () => sockets.size,
    idle: () => sockets.whenNone(),
    async close() {
      await halt();
      agent.destroy();
    },
  };
}
