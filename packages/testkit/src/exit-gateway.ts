import http from 'node:http';
import net from 'node:net';
import { listen, OpenSockets, stop } from './open-sockets.ts';

/**
 * How an exit does: it forwards; it is gone, and the gateway says 502; or the target has banned it, and says 403. A ban
 * shows in absolute form only.
 */
export type ExitFate = 'ok' | 'dead' | 'banned';

/** What a session of the gateway leads to. */
export interface SimulatedExit {
  readonly session: string;
  readonly region: string | undefined;
  fate: ExitFate;
  /** Requests that came for it. */
  requests: number;
  /** Epoch milliseconds. */
  readonly since: number;
}

/** What the gateway does with every request, whatever its session. */
export type GatewayMood = 'ok' | 'down' | 'wrong password' | 'no balance';

export interface ExitGatewayOptions {
  /** Decides the fate of the exit that a new session gets. Default: all are ok. */
  readonly fate?: ((session: string) => ExitFate) | undefined;
  /** Milliseconds after which a session gets another exit. Default: never. */
  readonly ttlMs?: number | undefined;
  readonly password?: string | undefined;
  /** Epoch milliseconds. Default: the system's clock. */
  readonly now?: (() => number) | undefined;
}

export interface ExitGateway {
  readonly host: string;
  readonly port: number;
  /** By session. */
  readonly exits: ReadonlyMap<string, SimulatedExit>;
  readonly stats: { connections: number; requests: number; refused: number };
  /** Takes effect for the next request; `down` ends all connections, and nothing listens. */
  mood(mood: GatewayMood): Promise<void>;
  close(): Promise<void>;
}

const sessionIn = /sess(?:id|ion)-([a-z0-9]+)/i;
const regionIn = /(?:cc|country)-([a-z]+)/i;

/** `customer-U-cc-us-sessid-x:pw` as the Basic credentials of a request. */
function credentialsOf({ headers }: http.IncomingMessage): { user: string; password: string } {
  const [, base64 = ''] = /^Basic (.+)$/.exec(headers['proxy-authorization'] ?? '') ?? [];
  const text = Buffer.from(base64, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return { user: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** Starts a provider's gateway on loopback, whose exits are chosen by words in user name or password. */
export async function startExitGateway(options: ExitGatewayOptions = {}): Promise<ExitGateway> {
  const { fate = () => 'ok', ttlMs = Infinity, password = 'pw', now = Date.now } = options;
  const exits = new Map<string, SimulatedExit>();
  const sockets = new OpenSockets();
  const stats = { connections: 0, requests: 0, refused: 0 };
  const agent = new http.Agent({ keepAlive: true });
  let mood: GatewayMood = 'ok';

  const exitFor = (user: string, secret: string): SimulatedExit => {
    const text = `${user}:${secret}`;
    const session = sessionIn.exec(text)?.[1] ?? '';
    let exit = exits.get(session);
    if (exit === undefined || now() - exit.since >= ttlMs) {
      const region = regionIn.exec(text)?.[1];
      exit = { session, region, fate: fate(session), requests: 0, since: now() };
      exits.set(session, exit);
    }
    exit.requests++;
    return exit;
  };

  /** The status with which the gateway itself refuses, or the exit. */
  const exitOrStatus = (request: http.IncomingMessage): number | SimulatedExit => {
    stats.requests++;
    if (mood === 'no balance') return 402;
    const given = credentialsOf(request);
    if (mood === 'wrong password' || !given.password.startsWith(password)) return 407;
    return exitFor(given.user, given.password);
  };
  const extra = (status: number) =>
    status === 407 ? { 'proxy-authenticate': 'Basic realm="gateway"' } : {};

  const server = http.createServer((request, response) => {
    const exit = exitOrStatus(request);
    if (typeof exit === 'number') {
      stats.refused++;
      response.writeHead(exit, extra(exit)).end();
      return;
    }
    if (exit.fate !== 'ok') {
      response.writeHead(exit.fate === 'dead' ? 502 : 403).end();
      return;
    }
    const { hostname, port, pathname, search } = new URL(request.url ?? '');
    const { 'proxy-authorization': _, ...headers } = request.headers;
    const upstream = http.request({
      ...{ host: hostname, port: port || 80, path: pathname + search, agent },
      method: request.method ?? 'GET',
      headers: { ...headers, 'x-exit': exit.session },
    });
    upstream.on('error', () => response.destroy());
    upstream.on('response', (incoming) => {
      response.writeHead(incoming.statusCode ?? 502, incoming.headers);
      incoming.pipe(response);
    });
    response.on('close', () => upstream.destroy());
    request.pipe(upstream);
  });
  server.on('connect', (request: http.IncomingMessage, socket: net.Socket) => {
    const exit = exitOrStatus(request);
    const status = typeof exit === 'number' ? exit : exit.fate === 'dead' ? 502 : 200;
    socket.on('error', () => {});
    if (status !== 200) {
      if (typeof exit === 'number') stats.refused++;
      const lines = Object.entries(extra(status)).map(([name, value]) => `${name}: ${value}\r\n`);
      socket.end(`HTTP/1.1 ${status} no\r\n${lines.join('')}content-length: 0\r\n\r\n`);
      return;
    }
    const { hostname, port } = new URL(`http://${request.url}`);
    const upstream = net.connect(Number(port) || 80, hostname);
    sockets.add(upstream);
    upstream.on('connect', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      socket.pipe(upstream).pipe(socket);
    });
    upstream.on('error', () => socket.destroy());
    socket.on('close', () => upstream.destroy());
  });
  server.on('connection', (socket) => {
    stats.connections++;
    sockets.add(socket);
  });
  server.on('clientError', (_, socket) => socket.destroy());

  const host = '127.0.0.1';
  const port = await listen(server, 0, host);
  return {
    host,
    port,
    exits,
    stats,
    async mood(next) {
      mood = next;
      if (next === 'down') await stop(server, sockets);
      else if (!server.listening) await listen(server, port, host);
    },
    async close() {
      agent.destroy();
      await stop(server, sockets);
    },
  };
}
