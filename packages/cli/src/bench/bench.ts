import { ProxyRotator, WhirlError, type RotatorResponse } from '@whirl/rotator';
import { exitCodes } from '../exit-codes.ts';
import { UsageError } from '../usage-error.ts';
import { headersOf, uploadOf } from '../get/request-parts.ts';
import type { PoolOptions } from '../pool/options.ts';
import { readPool } from '../pool/read-pool.ts';
import { sameProxy } from '../pool/same-proxy.ts';
import type { StatusTest } from '../terminal/arguments.ts';
import { count, write, type Terminal } from '../terminal/terminal.ts';
import { Measurements } from './measurements.ts';
import { toJson, toText } from './report.ts';

export interface BenchOptions extends PoolOptions {
  readonly requests?: number;
  readonly duration?: number;
  readonly concurrency: number;
  readonly request?: string;
  readonly header?: readonly string[];
  readonly data?: readonly string[];
  readonly expectStatus: StatusTest;
  readonly maxTime: number;
  readonly retries: number;
  readonly format: 'text' | 'json';
  readonly quiet?: boolean;
}

const defaultRequests = 200;

/** `whirl bench`. Resolves with the exit code. */
export async function bench(url: URL, options: BenchOptions, terminal: Terminal): Promise<number> {
  const { session, maxTime, retries, format, region, tag: tags } = options;
  if (options.requests !== undefined && options.duration !== undefined) {
    throw new UsageError('-n and -z exclude each other');
  }
  const upload = await uploadOf(options, terminal);
  const headers = headersOf(options.header, upload);
  const proxies = await readPool(options, terminal);
  const rotator = new ProxyRotator({
    proxies,
    strategy: session === undefined ? undefined : sameProxy(session),
    metrics: false,
    retryPolicy: { maxAttempts: retries + 1, timeoutMs: maxTime, failoverDelay: 'none' },
  });
  const measured = new Measurements();
  rotator.bus.on('attempt:end', (event) => measured.attempt(event));
  const send = () =>
    rotator.request(url, {
      method: options.request ?? (upload.body === undefined ? 'GET' : 'POST'),
      headers,
      body: upload.body,
      region,
      tags,
      sessionId: session,
    });
  const run = new Run(rotator, measured, options, send);
  const { elapsedMs, interrupted } = await run.done(terminal);
  const text =
    format === 'json' ? toJson(measured, elapsedMs) : toText(measured, elapsedMs, terminal.stdout);
  await write(terminal.stdout, text);
  if (interrupted) return exitCodes.interrupted;
  return measured.successes > 0 ? exitCodes.ok : exitCodes.failed;
}

/** The requests, so many at once, until there were enough. */
class Run {
  readonly #rotator: ProxyRotator;
  readonly #measured: Measurements;
  readonly #options: BenchOptions;
  readonly #send: () => Promise<RotatorResponse>;
  #begun = 0;
  #stopped = false;
  #interrupted = false;

  constructor(
    rotator: ProxyRotator,
    measured: Measurements,
    options: BenchOptions,
    send: () => Promise<RotatorResponse>,
  ) {
    this.#rotator = rotator;
    this.#measured = measured;
    this.#options = options;
    this.#send = send;
  }

  async done(terminal: Terminal): Promise<{ elapsedMs: number; interrupted: boolean }> {
    const { concurrency, duration: forMs, quiet } = this.#options;
    const most = forMs === undefined ? (this.#options.requests ?? defaultRequests) : Infinity;
    const startedAt = performance.now();
    const elapsed = () => performance.now() - startedAt;
    const progress = (): readonly [number, string] => {
      const { requests, successes, attempts } = this.#measured;
      const text = `${count(requests)} requests  ok ${count(successes)}  attempts ${count(attempts)}`;
      return [forMs === undefined ? requests : Math.min(elapsed(), forMs), text];
    };
    const { stderr } = terminal;
    const bar =
      stderr.isTTY === true && quiet !== true
        ? (await import('../terminal/bar.ts')).startBar(stderr, forMs ?? most, progress()[1])
        : undefined;
    const goOn = terminal.onStop(() => {
      this.#interrupted = this.#stopped = true;
      void this.#rotator.destroy();
    });
    const timer = forMs === undefined ? undefined : setTimeout(() => (this.#stopped = true), forMs);
    const worker = async () => {
      while (!this.#stopped && this.#begun < most) {
        this.#begun++;
        await this.#one();
        bar?.update(...progress());
      }
    };
    try {
      await Promise.all(Array.from({ length: Math.min(concurrency, most) }, worker));
    } finally {
      clearTimeout(timer);
      bar?.stop();
      goOn();
      await this.#rotator.destroy();
    }
    return { elapsedMs: elapsed(), interrupted: this.#interrupted };
  }

  async #one(): Promise<void> {
    const { expectStatus } = this.#options;
    const startedAt = performance.now();
    try {
      const { statusCode, body } = await this.#send();
      let bytes = 0;
      for await (const chunk of body as AsyncIterable<Buffer>) bytes += chunk.length;
      if (expectStatus(statusCode)) this.#measured.succeeded(performance.now() - startedAt, bytes);
      else this.#measured.failed(`status ${statusCode}`);
    } catch (error) {
      // What the person has stopped is no failure.
      if (!this.#interrupted) this.#measured.failed(reasonOf(error));
    }
  }
}

/** The code, and where there is one the phase, of what ended the last attempt. Throws what is no failure of a request. */
function reasonOf(error: unknown): string {
  if (!(error instanceof WhirlError) || error.code === 'INVALID_REQUEST') throw error;
  const { cause } = error;
  if (error.code === 'RETRIES_EXHAUSTED' && cause instanceof WhirlError) return reasonOf(cause);
  const code = error.code.toLowerCase().replaceAll('_', ' ');
  return 'phase' in error ? `${code} (${error.phase as string})` : code;
}
