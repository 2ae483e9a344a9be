import { createWriteStream } from 'node:fs';
import { STATUS_CODES } from 'node:http';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { shownPath } from '@whirl/check';
import { ProxyRotator, WhirlError, type RotatorResponse } from '@whirl/rotator';
import { exitCodes } from '../exit-codes.ts';
import type { PoolOptions } from '../pool/options.ts';
import { readPool } from '../pool/read-pool.ts';
import { sameProxy } from '../pool/same-proxy.ts';
import { duration, type Terminal } from '../terminal/terminal.ts';
import { exitCodeOf, getCodes } from './exit-code.ts';
import { narrate } from './narrate.ts';
import { headersOf, uploadOf } from './request-parts.ts';

export interface GetOptions extends PoolOptions {
  readonly request?: string;
  readonly header?: readonly string[];
  readonly data?: readonly string[];
  readonly output?: string;
  readonly include?: boolean;
  readonly fail?: boolean;
  readonly maxTime?: number;
  readonly connectTimeout: number;
  readonly retries: number;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

/** `whirl get`. Resolves with the exit code. */
export async function get(url: URL, options: GetOptions, terminal: Terminal): Promise<number> {
  const say = (line: string) => {
    if (options.quiet !== true) terminal.stderr.write(`whirl: ${line}\n`);
  };
  let rotator: ProxyRotator | undefined;
  try {
    const upload = await uploadOf(options, terminal);
    const headers = headersOf(options.header, upload);
    const { region, session: sessionId, tag: tags, connectTimeout, maxTime, retries } = options;
    const pool = await readPool(options, terminal);
    rotator = new ProxyRotator({
      proxies: pool,
      strategy: sessionId === undefined ? undefined : sameProxy(sessionId),
      metrics: false,
      keepAlive: false,
      retryPolicy: {
        maxAttempts: retries + 1,
        timeoutMs: maxTime,
        connectTimeoutMs: connectTimeout,
        failoverDelay: 'none',
        failoverOnProxyAuth: true,
      },
    });
    if (options.quiet !== true) narrate(rotator, terminal, options.verbose === true);
    const startedAt = performance.now();
    const response = await rotator.request(url, {
      method: options.request ?? (upload.body === undefined ? 'GET' : 'POST'),
      headers,
      body: upload.body,
      region,
      sessionId,
      tags,
    });
    const { statusCode, proxyId, attempts } = response;
    const n = attempts.length;
    const took = duration(performance.now() - startedAt);
    say(`${statusCode} through ${proxyId}, ${n} attempt${n === 1 ? '' : 's'}, ${took}`);
    if (options.fail === true && statusCode >= 400) {
      response.body.on('error', () => {}).destroy();
      return getCodes.status;
    }
    return await writeBody(response, options, terminal, say);
  } catch (error) {
    if (!(error instanceof WhirlError)) throw error;
    say(error.message);
    return exitCodeOf(error);
  } finally {
    await rotator?.destroy();
  }
}

/** Writes the response, its body unchanged. Resolves with the exit code. */
async function writeBody(
  response: RotatorResponse,
  { output, include }: GetOptions,
  { stdout }: Terminal,
  say: (line: string) => void,
): Promise<number> {
  const to = output === undefined || output === '-' ? stdout : createWriteStream(output);
  let failure: Error | undefined;
  const target = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      to.write(chunk, (error) => {
        failure ??= error ?? undefined;
        done(error);
      });
    },
    final: (done) => {
      if (to === stdout) done();
      else to.end(done);
    },
  });
  to.on('error', (error: Error) => {
    failure ??= error;
    target.destroy(error);
  });
  try {
    if (include === true) target.write(headOf(response));
    await pipeline(response.body, target);
    return exitCodes.ok;
  } catch (error) {
    if (failure === undefined) {
      say((error as Error).message);
      return exitCodeOf(error) === getCodes.timeout ? getCodes.timeout : getCodes.partial;
    }
    const { code } = failure as NodeJS.ErrnoException;
    // The reader has what it wanted.
    if (code === 'EPIPE') return exitCodes.ok;
    say(`cannot write ${to === stdout ? 'to stdout' : shownPath(output as string)} (${code})`);
    return getCodes.write;
  }
}

function headOf({ statusCode, headers }: RotatorResponse): string {
  const lines = Object.entries(headers).flatMap(([name, value = []]) =>
    (Array.isArray(value) ? value : [value]).map((each) => `${name}: ${each}\r\n`),
  );
  return `HTTP/1.1 ${statusCode} ${STATUS_CODES[statusCode] ?? ''}\r\n${lines.join('')}\r\n`;
}
