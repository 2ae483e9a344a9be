import http from 'node:http';
import net from 'node:net';
import type { Duplex } from 'node:stream';

interface Common {
  /** Waited before anything is answered. */
  readonly latencyMs?: number;
  /** Hosts that this proxy refuses. */
  readonly bannedHosts?: readonly { readonly host: string; readonly statusCode?: number }[];
}

/** What a proxy does with the requests that reach it. */
export type Behaviour = Common &
  (
    | { readonly kind: 'ok' }
    | { readonly kind: 'refuse' }
    | { readonly kind: 'reset' }
    | { readonly kind: 'hang' }
    | { readonly kind: 'close-after-connect' }
    | { readonly kind: 'garbage' }
    | { readonly kind: 'status'; readonly statusCode: number; readonly retryAfter?: string }
    | { readonly kind: 'cut-body'; readonly afterBytes?: number }
    | {
        readonly kind: 'mix';
        readonly parts: readonly { readonly ratio: number; readonly behaviour: Behaviour }[];
      }
  );

export interface FlakyProxy {
  /** With its credentials. */
  readonly url: string;
  readonly id: string;
  readonly host: string;
  readonly port: number;
  readonly stats: { connections: number; requests: number; connects: number };
  behave(behaviour: Behaviour): Promise<void>;
  openSockets(): number;
  close(): Promise<void>;
}

export interface ProxyServerOptions {
  readonly port?: number;
  readonly username?: string;
  readonly password?: string;
  readonly behaviour?: Behaviour;
  readonly random?: () => number;
}

const hopByHop = ['proxy-authorization', 'proxy-connection', 'connection', 'keep-alive'];

/** Starts a real forward proxy on loopback: CONNECT and absolute form, told how to misbehave. */
export async function startProxy(options: ProxyServerOptions = {}): Promise<FlakyProxy> {
  const { username, password = '', random = Math.random } = options;
  let behaviour: Behaviour = options.behaviour ?? { kind: 'ok' };
  const stats = { connections: 0, requests: 0, connects: 0 };
  const sockets = new Set<net.Socket>();
  const timers = new Set<NodeJS.Timeout>();
  const agent = new http.Agent({ keepAlive: false });
  const expected = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;

  const track = (socket: net.Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
  };
  const draw = (from: Behaviour): Behaviour => {
    if (from.kind !== 'mix') return from;
    let at = random();
    for (const part of from.parts) {
      if (at < part.ratio) return draw(part.behaviour);
      at -= part.ratio;
    }
    return { ...from, kind: 'ok' } as Behaviour;
  };
  /** What to answer instead of forwarding, if anything. */
  const verdict = (chosen: Behaviour, request: http.IncomingMessage, host: string) => {
    if (username !== undefined && request.headers['proxy-authorization'] !== expected) return 407;
    const banned = chosen.bannedHosts?.find((each) => each.host === host);
    if (banned !== undefined) return banned.statusCode ?? 403;
    return chosen.kind === 'status' ? chosen.statusCode : undefined;
  };
  const later = (chosen: Behaviour, act: () => void) => {
    if (chosen.latencyMs === undefined) return act();
    const timer = setTimeout(() => {
      timers.delete(timer);
      act();
    }, chosen.latencyMs);
    timers.add(timer);
  };
  const reset = (socket: Duplex) => (socket as net.Socket).resetAndDestroy();
  /** True when the behaviour itself has dealt with the socket. */
  const misbehaved = (chosen: Behaviour, socket: Duplex): boolean => {
    if (chosen.kind === 'reset') reset(socket);
    else if (chosen.kind === 'garbage') socket.end('\u0000\u0001 this is not HTTP \u0002\r\n\r\n');
    else return chosen.kind === 'hang';
    return true;
  };
  const extra = (chosen: Behaviour, statusCode: number): Record<string, string> => ({
    ...(statusCode === 407 ? { 'proxy-authenticate': 'Basic realm="proxy"' } : {}),
    ...(chosen.kind === 'status' && chosen.retryAfter !== undefined
      ? { 'retry-after': chosen.retryAfter }
      : {}),
  });

  const server = http.createServer((request, response) => {
    stats.requests++;
    const chosen = draw(behaviour);
    response.on('error', () => {});
    later(chosen, () => {
      if (misbehaved(chosen, request.socket)) return;
      if (chosen.kind === 'close-after-connect') {
        request.socket.end();
        return;
      }
      let url: URL;
      try {
        url = new URL(request.url ?? '');
      } catch {
        response.writeHead(400).end();
        return;
      }
      const refused = verdict(chosen, request, url.hostname);
      if (refused !== undefined) {
        response.writeHead(refused, extra(chosen, refused)).end(`proxy says ${refused}\n`);
        return;
      }
      const headers = { ...request.headers };
      for (const name of hopByHop) delete headers[name];
      const upstream = http.request(url, { method: request.method ?? 'GET', headers, agent });
      upstream.on('socket', (socket) => {
        if (!sockets.has(socket)) track(socket);
      });
      upstream.on('error', () => {
        if (response.headersSent) reset(request.socket);
        else response.writeHead(502).end();
      });
      upstream.on('response', (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.on('error', () => reset(request.socket));
        let passed = 0;
        if (chosen.kind === 'cut-body') {
          const limit = chosen.afterBytes ?? 1;
          response.flushHeaders();
          answer.on('data', (chunk: Buffer) => {
            const part = chunk.subarray(0, Math.max(0, limit - passed));
            passed += chunk.length;
            response.write(part, () => {
              if (passed >= limit) reset(request.socket);
            });
          });
          answer.on('end', () => reset(request.socket));
        } else answer.pipe(response);
      });
      response.on('close', () => upstream.destroy());
      request.pipe(upstream);
    });
  });

  server.on('connect', (request: http.IncomingMessage, socket: net.Socket, head: Buffer) => {
    stats.requests++;
    stats.connects++;
    const chosen = draw(behaviour);
    later(chosen, () => {
      if (misbehaved(chosen, socket)) return;
      const { hostname, port } = new URL(`http://${request.url ?? ''}`);
      const host = hostname.replace(/^\[|\]$/g, '');
      const refused = verdict(chosen, request, host);
      if (refused !== undefined) {
        const lines = Object.entries(extra(chosen, refused)).map(([k, v]) => `${k}: ${v}\r\n`);
        socket.end(
          `HTTP/1.1 ${refused} ${http.STATUS_CODES[refused] ?? ''}\r\n${lines.join('')}content-length: 0\r\n\r\n`,
        );
        return;
      }
      if (chosen.kind === 'close-after-connect') {
        socket.end('HTTP/1.1 200 Connection established\r\n\r\n');
        return;
      }
      const upstream = net.connect(Number(port) || 80, host, () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        if (head.length > 0) upstream.write(head);
        socket.pipe(upstream);
        if (chosen.kind !== 'cut-body') {
          upstream.pipe(socket);
          return;
        }
        const limit = chosen.afterBytes ?? 4096;
        let passed = 0;
        upstream.on('data', (chunk: Buffer) => {
          passed += chunk.length;
          if (passed > limit) reset(socket);
          else socket.write(chunk);
        });
      });
      track(upstream);
      upstream.on('error', () => {
        if (socket.writable) socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
      });
      upstream.on('close', () => socket.destroy());
      socket.on('close', () => upstream.destroy());
    });
  });
  server.on('connection', (socket: net.Socket) => {
    stats.connections++;
    track(socket);
  });
  server.on('clientError', (_, socket) => socket.destroy());

  const listen = (port: number) =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => {
        server.off('error', reject);
        resolve();
      });
    });
  const stop = () =>
    new Promise<void>((resolve) => {
      for (const timer of timers) clearTimeout(timer);
      timers.clear();
      if (server.listening) server.close(() => resolve());
      else resolve();
      for (const socket of sockets) socket.destroy();
    });

  await listen(options.port ?? 0);
  const { port } = server.address() as net.AddressInfo;
  if (behaviour.kind === 'refuse') await stop();
  const user = username === undefined ? '' : `${encodeURIComponent(username)}`;
  const credentials =
    username === undefined ? '' : `${user}${password && `:${encodeURIComponent(password)}`}@`;
  return {
    url: `http://${credentials}127.0.0.1:${port}`,
    id: username === undefined ? `127.0.0.1:${port}` : `${username}@127.0.0.1:${port}`,
    host: '127.0.0.1',
    port,
    stats,
    async behave(next) {
      behaviour = next;
      if (next.kind === 'refuse') await stop();
      else if (!server.listening) await listen(port);
    },
    openSockets: () => sockets.size,
    async close() {
      await stop();
      agent.destroy();
    },
  };
}
