import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import {
  fakeCircuit,
  fakeHours,
  fakeMinutes,
  fakePolicy,
  fakePool,
  fakeProxy,
  fakeSummary,
  type FakePool,
} from './fake-pool.ts';

const folder = fileURLToPath(new URL('../../dist/dashboard', import.meta.url));

/** What the real server sends with the page. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "font-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const types: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
};

export interface FakeServer {
  readonly url: string;
  readonly port: number;
  readonly pool: FakePool;
  /** The bodies of the changes it was asked for, as "METHOD path body". */
  readonly changes: readonly string[];
  /** How many pages listen to the event stream. */
  readonly listeners: number;
  /** Sends one event to every page that listens. */
  emit(type: string, fields: object): void;
  /** Cuts every event stream, as a proxy in between would. */
  cutStreams(): void;
  close(): Promise<void>;
}

export interface FakeServerOptions {
  readonly proxies?: number;
  readonly token?: string;
  /** Default `live`. */
  readonly mode?: 'demo' | 'live';
  readonly demoTarget?: string;
  /** Default: any free one. */
  readonly port?: number;
}

class Refusal extends Error {
  readonly status: number;
  readonly details: Record<string, unknown> | undefined;

  constructor(status: number, message: string, details?: Record<string, unknown>) {
    super(message);
    this.status = status;
    this.details = details;
  }
}

/**
 * The REST contract with figures made up, behind the strict CSP: what the page meets on a good
 * day, and what a test wants it to meet on a bad one.
 */
export async function startFakeServer(options: FakeServerOptions = {}): Promise<FakeServer> {
  const { token, port = 0 } = options;
  const pool = fakePool(options.proxies ?? 4);
  const changes: string[] = [];
  const streams = new Set<ServerResponse>();
  const sockets = new Set<Socket>();
  let policy = { ...fakePolicy };
  let lastId = 0;

  const emit = (type: string, fields: object) => {
    const text = JSON.stringify({ timestamp: new Date().toISOString(), ...fields });
    lastId++;
    for (const stream of streams) stream.write(`id: ${lastId}\nevent: ${type}\ndata: ${text}\n\n`);
  };

  const addProxy = (url: string) => {
    const host = /^(?:\w+:\/\/)?(?:[^@\s]+@)?([\w.-]+:\d+)$/.exec(url)?.[1];
    if (host === undefined) {
      throw new Refusal(400, 'invalid proxy', { url: 'must look like http://host:port' });
    }
    if (pool.proxies.some(({ id }) => id === host)) {
      throw new Refusal(409, `the pool has a proxy with the id "${host}" already`);
    }
    pool.proxies.push(fakeProxy(host));
    pool.circuits.push(fakeCircuit(host));
    emit('proxy:added', { proxy_id: host });
    return pool.proxies.at(-1);
  };

  /** Fails once, then answers; a URL with "down" in it gets no response. */
  const send = ({ url }: { url: string }) => {
    const [first, second] = pool.proxies.map(({ id }) => id);
    const failed = { attempt: 0, proxy_id: first, outcome: 'failure', error: 'proxy_connection' };
    const attempts = [{ ...failed, latency: 0.031, delay_before: 0 }];
    if (url.includes('down')) throw new Refusal(502, 'gave up after 1 attempt', { attempts });
    const answered = { attempt: 1, proxy_id: second, outcome: 'success', status_code: 200 };
    return {
      status_code: 200,
      headers: {},
      body: '{"ok":true}',
      body_encoding: 'utf8',
      proxy_id: second,
      attempts: [...attempts, { ...answered, latency: 0.12, delay_before: 1 }],
    };
  };

  const changeCircuit = (id: string, action: string) => {
    const at = pool.circuits.findIndex(({ proxy_id }) => proxy_id === id);
    if (at === -1) throw new Refusal(404, `no proxy has the id "${id}"`);
    const now = new Date().toISOString();
    const forced = { state: 'open', forced: true };
    const circuit = fakeCircuit(id, {
      ...(action === 'open' ? forced : {}),
      last_state_change: now,
    });
    pool.circuits[at] = circuit;
    return circuit;
  };

  const patchPolicy = (patch: Record<string, unknown>) => {
    const details: Record<string, string> = {};
    const { max_attempts: attempts = 3, retry_status_codes: codes = [] } = patch;
    if (typeof attempts !== 'number' || attempts < 1 || attempts > 10) {
      details['max_attempts'] = `must be an integer from 1 to 10, got ${JSON.stringify(attempts)}`;
    }
    for (const [i, code] of (codes as unknown[]).entries()) {
      if (typeof code === 'number' && code >= 400 && code <= 599) continue;
      details[`retry_status_codes.${i}`] = `must be from 400 to 599, got ${JSON.stringify(code)}`;
    }
    if (Object.keys(details).length > 0) throw new Refusal(400, 'invalid input', details);
    policy = { ...policy, ...patch, updated_at: new Date().toISOString() };
    emit('policy:changed', { policy });
    return policy;
  };

  /** The rows that a list is asked for, and what it says of the rest. */
  const listed = <Row>(
    rows: readonly Row[],
    idOf: (row: Row) => string,
    query: URLSearchParams,
  ) => {
    const ids = new Set(query.getAll('id'));
    const text = query.get('q') ?? '';
    const state = query.get('state');
    const isIn = new Set(
      pool.circuits.filter((each) => each.state === state).map(({ proxy_id }) => proxy_id),
    );
    const wanted = rows.filter((row) => {
      const id = idOf(row);
      return (
        (ids.size === 0 || ids.has(id)) && id.includes(text) && (state === null || isIn.has(id))
      );
    });
    const from = Number(query.get('cursor') ?? 0);
    const end = from + Number(query.get('limit') ?? 1000);
    const next_cursor = end < wanted.length ? String(end) : null;
    return { page: wanted.slice(from, end), rest: { total: wanted.length, next_cursor } };
  };

  const answer = (method: string, path: string, query: URLSearchParams, body: string): unknown => {
    if (method !== 'GET') changes.push(`${method} ${path} ${body}`.trim());
    const [area = '', id = '', action = ''] = path.split('/').map(decodeURIComponent);
    switch (`${method} ${area}`) {
      case 'GET proxies': {
        const { page, rest } = listed(pool.proxies, ({ id: each }) => each, query);
        return { proxies: page, ...rest };
      }
      case 'POST proxies':
        if (id === '') return addProxy((JSON.parse(body) as { url: string }).url);
        return { imported: body.trim().split('\n').map(addProxy).length };
      case 'DELETE proxies':
        pool.proxies = pool.proxies.filter((proxy) => proxy.id !== id);
        pool.circuits = pool.circuits.filter(({ proxy_id }) => proxy_id !== id);
        emit('proxy:removed', { proxy_id: id });
        return undefined;
      case 'GET circuit-breakers': {
        if (id === 'metrics') return { events: [] };
        const { page, rest } = listed(pool.circuits, ({ proxy_id }) => proxy_id, query);
        return { circuit_breakers: page, ...rest };
      }
      case 'POST circuit-breakers':
        return changeCircuit(id, action);
      case 'GET status':
        return {
          mode: options.mode ?? 'live',
          demo_target: options.demoTarget ?? null,
          gateway: pool.gateway,
        };
      case 'GET fleet': {
        const proxy = query.get('proxy_id');
        const reports = proxy === null ? [] : (pool.reports[proxy] ?? []);
        return { fleet: pool.fleet && { ...pool.fleet, reports } };
      }
      case 'POST request':
        return send(JSON.parse(body) as { url: string });
      case 'GET targets':
        return { targets: pool.targets };
      case 'GET requests':
        return { requests: [] };
      case 'GET retry':
        return policy;
      case 'PATCH retry':
        return patchPolicy(JSON.parse(body) as Record<string, unknown>);
      case 'GET metrics':
        if (action === 'timeseries') {
          if (pool.proxies.length === 0) return { data_points: [] };
          const minutes = query.get('minutes');
          return { data_points: minutes === null ? fakeHours() : fakeMinutes(Number(minutes)) };
        }
        if (action === 'by-proxy') {
          const { page, rest } = listed(
            Object.values(pool.metrics),
            (each) => each.proxy_id,
            query,
          );
          return {
            proxies: Object.fromEntries(page.map((each) => [each.proxy_id, each])),
            ...rest,
          };
        }
        return pool.proxies.length > 0
          ? fakeSummary
          : { ...fakeSummary, success_by_attempt: {}, failure_by_reason: {}, total_retries: 0 };
      default:
        throw new Refusal(404, `there is no ${method} at this path`);
    }
  };

  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    response.setHeader('content-security-policy', contentSecurityPolicy);
    response.setHeader('x-content-type-options', 'nosniff');
    if (!pathname.startsWith('/api/v1/')) {
      const name = pathname === '/' ? '/index.html' : pathname;
      const file = await readFile(folder + name).catch(() => undefined);
      const type = types[name.split('.').at(-1) ?? ''] ?? 'text/plain';
      response.writeHead(file === undefined ? 404 : 200, { 'content-type': type }).end(file);
      return;
    }
    if (token !== undefined && request.headers.authorization !== `Bearer ${token}`) {
      throw new Refusal(401, 'send the token');
    }
    const path = pathname.slice('/api/v1/'.length);
    if (path === 'events') {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
      response.write(': hello\n\n');
      streams.add(response);
      response.on('close', () => streams.delete(response));
      return;
    }
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const result = answer(request.method ?? 'GET', path, searchParams, body);
    response
      .writeHead(result === undefined ? 204 : 200, { 'content-type': 'application/json' })
      .end(result === undefined ? undefined : JSON.stringify(result));
  };

  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => {
      const { status, message, details } =
        error instanceof Refusal ? error : new Refusal(500, String(error));
      response
        .writeHead(status, { 'content-type': 'application/json' })
        .end(JSON.stringify({ error: 'refused', message, details }));
    });
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const bound = (server.address() as AddressInfo).port;

  return {
    url: `http://127.0.0.1:${bound}/`,
    port: bound,
    pool,
    changes,
    get listeners() {
      return streams.size;
    },
    emit,
    cutStreams() {
      for (const stream of streams) stream.destroy();
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
