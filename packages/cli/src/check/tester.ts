import type { AttemptEnd, ConnectionOpen } from '@whirl/events';
import {
  ProxyAuthenticationError,
  ProxyConnectionError,
  ProxyRotator,
  type Proxy,
  type ProxyOptions,
  type ProxyProtocol,
  type RotatorResponse,
  type RotatorView,
} from '@whirl/rotator';
import type { HostPort, StatusTest } from '../terminal/arguments.ts';
import { version } from '../version.ts';
import { exitIpIn } from './exit-ip.ts';
import { isLocal } from './local-error.ts';
import type { Outcome, Reason } from './results/result.ts';

/** What a proxy has to do to be called good. */
export type Task =
  | {
      readonly url: URL;
      readonly expectStatus: StatusTest;
      /** What the first megabyte of the body must hold. */
      readonly expectBody?: string | undefined;
    }
  /** Open a tunnel there; nothing is sent through it. */
  | { readonly connect: HostPort };

/** Of a body more is not read. */
const maxBodyBytes = 1024 * 1024;

/** So much longer a test may take at most: a policy of its own for each would cost more than its request. */
const timeoutStepMs = 50;

const headers = { 'user-agent': `whirl/${version}`, accept: '*/*' };

/** What is heard of a test while it runs. */
interface Run {
  opened?: ConnectionOpen;
  ended?: AttemptEnd;
  /** The tunnel is all that is asked for. */
  readonly onOpen?: (() => void) | undefined;
}

/**
 * Tests proxies, each alone: a test puts one proxy into the pool under an id of its own, pins one request with one
 * attempt and one connection to it, and takes it out again. No circuit and no evidence of another test has a say.
 */
export class Tester {
  readonly #task: Task;
  readonly #rotator: ProxyRotator;
  readonly #running = new Map<string, Run>();
  /** By the time that a test may take. */
  readonly #views = new Map<number, RotatorView>();
  #tests = 0;

  constructor(task: Task) {
    this.#task = task;
    this.#rotator = new ProxyRotator({
      retryPolicy: null,
      circuitBreaker: false,
      budget: false,
      metrics: false,
      targetDown: false,
      contrast: false,
      keepAlive: false,
      tunnel: 'connect' in task ? 'always' : 'auto',
    });
    const { bus } = this.#rotator;
    bus.on('connection:open', (event) => {
      const run = this.#running.get(event.proxyId);
      if (run === undefined) return;
      run.opened = event;
      run.onOpen?.();
    });
    bus.on('attempt:end', (event) => {
      const run = this.#running.get(event.proxyId);
      if (run !== undefined) run.ended = event;
    });
  }

  /** Tests a proxy with a protocol. `stop` ends the test, with an outcome of no meaning. */
  async test(
    proxy: Proxy,
    protocol: ProxyProtocol,
    timeoutMs: number,
    stop?: AbortController,
  ): Promise<Outcome> {
    const added = String(this.#tests++);
    const { host, port, username, password, tunnel, proxyHeaders } = proxy;
    const own = protocol.startsWith('socks') ? {} : { proxyHeaders };
    const place = { id: added, protocol, host, port, username, password, tunnel };
    this.#rotator.addProxy({ ...place, ...own, ...oneExit(proxy) });
    const id = proxy.exits === undefined ? added : `${added}/1`;
    try {
      return 'connect' in this.#task
        ? await this.#connect(id, this.#task.connect, timeoutMs, stop)
        : await this.#request(id, this.#task, timeoutMs, stop?.signal);
    } finally {
      this.#running.delete(id);
      this.#rotator.removeProxy(added);
    }
  }

  /** Ends every test. */
  close(): Promise<void> {
    return this.#rotator.destroy();
  }

  #send(
    id: string,
    url: string | URL,
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ): Promise<RotatorResponse> {
    return this.#within(timeoutMs).get(url, { proxyId: id, signal, headers });
  }

  /** Requests of one attempt that end within this time, rounded up. */
  #within(timeoutMs: number): RotatorView {
    const ms = Math.ceil(timeoutMs / timeoutStepMs) * timeoutStepMs;
    let view = this.#views.get(ms);
    if (view === undefined) {
      const limits = { timeoutMs: ms, attemptTimeoutMs: ms, connectTimeoutMs: ms };
      const retryPolicy = { maxAttempts: 1, retryStatusCodes: [], ...limits };
      this.#views.set(ms, (view = this.#rotator.with({ retryPolicy })));
    }
    return view;
  }

  async #connect(
    id: string,
    { host, port }: HostPort,
    timeoutMs: number,
    stop = new AbortController(),
  ): Promise<Outcome> {
    const run: Run = { onOpen: () => stop.abort() };
    this.#running.set(id, run);
    try {
      const url = `http://${host}:${port}/`;
      const { body } = await this.#send(id, url, timeoutMs, stop.signal);
      body.on('error', ignore).destroy();
    } catch (error) {
      if (run.opened === undefined) return failed(run, error, true);
    }
    return { ok: true, speaks: true, ...timesOf(run) };
  }

  async #request(
    id: string,
    { url, expectStatus, expectBody }: Extract<Task, { url: URL }>,
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ): Promise<Outcome> {
    const run: Run = {};
    this.#running.set(id, run);
    const startedAt = performance.now();
    let response: RotatorResponse | undefined;
    let firstByteMs: number | undefined;
    try {
      response = await this.#send(id, url, timeoutMs, signal);
      firstByteMs = performance.now() - startedAt;
      const { statusCode: status } = response;
      const text = await beginningOf(response);
      const seen = { speaks: true, ...timesOf(run), firstByteMs, status };
      if (!expectStatus(status)) return { ...seen, ok: false, phase: 'headers', reason: 'status' };
      if (expectBody !== undefined && !text.includes(expectBody)) {
        return { ...seen, ok: false, phase: 'body', reason: 'content' };
      }
      return { ...seen, ok: true, exitIp: exitIpIn(text) };
    } catch (error) {
      const tunnel = run.opened?.origin !== undefined;
      const failure = failed(run, error, tunnel);
      return { ...failure, firstByteMs, status: failure.status ?? response?.statusCode };
    }
  }
}

/** Where no region is named an exit of this one is tested. */
const anyRegion = 'us';

/** A gateway is tested through one exit, which the account pays for: of the first region that is named. */
function oneExit({ exits, region: own }: Proxy): ProxyOptions {
  if (exits === undefined) return {};
  const { sessionTtlMs, regional, namedRegions } = exits;
  if (!regional) return { exits: 1, sessionTtlMs };
  const region = own ?? namedRegions[0] ?? anyRegion;
  const regions = { [region]: exits.spelled(region) ?? region };
  return { exits: 1, sessionTtlMs, region, regions };
}

function timesOf({ opened }: Run): Pick<Outcome, 'connectMs' | 'tlsMs'> {
  if (opened === undefined) return {};
  const { proxyMs, tunnelMs, tlsMs } = opened;
  return { connectMs: proxyMs + tunnelMs, tlsMs: tlsMs === 0 ? undefined : tlsMs };
}

/** `tunnel`: a connection that stands has shown that the proxy speaks its protocol. */
function failed(run: Run, error: unknown, tunnel: boolean): Outcome {
  const { ended, opened } = run;
  const phase = ended?.phase;
  const reason: Reason = isLocal(error) ? 'local' : (ended?.reason ?? 'timeout');
  const status = ended?.statusCode;
  const past = phase === 'tls_target' || phase === 'headers' || phase === 'body';
  const speaks =
    status !== undefined || refused(error) || (tunnel && (opened !== undefined || past));
  return { ok: false, speaks, ...timesOf(run), phase, reason, status };
}

/** Whether a proxy has refused in the words of its protocol. */
function refused(error: unknown): boolean {
  for (let each = error; each instanceof Error; each = each.cause) {
    if (each instanceof ProxyAuthenticationError) return true;
    if (each instanceof ProxyConnectionError && each.socksReply !== undefined) return true;
  }
  return false;
}

/** The text of a response, read to its end or to the bound. */
async function beginningOf({ body }: RotatorResponse): Promise<string> {
  body.on('error', ignore);
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= maxBodyBytes) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}

function ignore(): void {}
