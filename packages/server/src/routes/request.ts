import { WhirlError, type RotatorResponse } from '@whirl/rotator';
import { ApiError, failures } from '../http/errors.ts';
import { policyFromWire } from '../wire/policy-wire.ts';
import type { Routes } from './route-context.ts';
import { attemptToWire, encodeBody, requestSchema, responseSchema } from '../wire/request-wire.ts';
import { policyIssues } from './retry-policy.ts';

/** A larger response body is not collected. */
const maxBodyBytes = 10 * 1024 * 1024;

/** A request of this size still fits its body in base64. */
const maxRequestBytes = 14 * 1024 * 1024;

/** Codes that are not the proxies' or the target's failure; everything else is a 502. */
const statuses: Readonly<Record<string, number>> = {
  INVALID_REQUEST: 400,
  UND_ERR_INVALID_ARG: 400,
  ALL_PROXIES_UNAVAILABLE: 503,
  NO_PROXIES: 503,
  PROXIES_BUSY: 503,
  CLOSED: 503,
  REQUEST_TIMEOUT: 504,
};

interface Failure {
  readonly code?: unknown;
  readonly message?: unknown;
  readonly cause?: unknown;
  readonly retryAfterMs?: unknown;
}

/** Why a tunnel through the demo's proxies is refused. */
function whyRefused({ attempts }: WhirlError, demoTarget: string | undefined): string {
  const refused = attempts.some(
    ({ errorCode, statusCode }) => errorCode === 'PROXY_CONNECTION' && statusCode === 403,
  );
  return refused && demoTarget !== undefined
    ? `; this is a demo: its proxies reach ${demoTarget} alone`
    : '';
}

/** An error that gave up lists its attempts, the last one's error among them. */
function withCause(message: string, because: string | undefined): string {
  return because === undefined || message.includes(because) ? message : `${message}: ${because}`;
}

function upstreamError(error: unknown, demoTarget: string | undefined): unknown {
  const invalid = policyIssues(error);
  if (invalid !== undefined) return invalid;
  const { code, message, cause, retryAfterMs } = error as Failure;
  if (!(error instanceof WhirlError) && typeof code !== 'string') return error;
  const name = typeof code === 'string' ? code : 'REQUEST_FAILED';
  const statusCode = statuses[name] ?? 502;
  const because = cause instanceof WhirlError ? cause : undefined;
  const attempts = error instanceof WhirlError ? error.attempts.map(attemptToWire) : [];
  const known = error instanceof WhirlError || statusCode === 400;
  const why = error instanceof WhirlError ? whyRefused(error, demoTarget) : '';
  return new ApiError(
    statusCode,
    known ? name.toLowerCase().replace('und_err_invalid_arg', 'invalid_request') : 'body_failed',
    `${withCause(String(message), because?.message)}${why}`,
    {
      ...(statusCode === 502 || statusCode === 504 ? { details: { attempts } } : {}),
      retryAfterMs: typeof retryAfterMs === 'number' ? retryAfterMs : undefined,
    },
  );
}

async function collect(response: RotatorResponse, abort: () => void): Promise<Buffer> {
  const tooLarge = () =>
    new ApiError(502, 'body_too_large', `the response body is over ${maxBodyBytes} bytes`, {
      details: { attempts: response.attempts.map(attemptToWire) },
    });
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response.body) {
    size += (chunk as Buffer).length;
    if (size > maxBodyBytes) {
      abort();
      throw tooLarge();
    }
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

/** Sends a request through the pool for clients in any language. */
export const requestRoutes: Routes = (app, { rotator, demoTarget }) => {
  app.post(
    '/request',
    {
      bodyLimit: maxRequestBytes,
      schema: {
        operationId: 'sendRequest',
        summary: 'Send a request through a proxy of the pool',
        description: 'Never without a proxy. Redirects are not followed.',
        tags: ['Requests'],
        body: requestSchema,
        response: {
          200: {
            description: 'The response of the target, whatever its status.',
            content: { 'application/json': { schema: responseSchema } },
          },
          ...failures(400, 413, 415, 502, 503, 504),
        },
      },
    },
    async ({ body: wanted }, reply) => {
      const gone = new AbortController();
      const leave = () => {
        if (!reply.raw.writableFinished) gone.abort();
      };
      reply.raw.once('close', leave);
      const policy = wanted.retry_policy;
      try {
        const response = await rotator.request(wanted.url, {
          method: wanted.method,
          headers: wanted.headers ?? {},
          body:
            wanted.body === undefined ? undefined : Buffer.from(wanted.body, wanted.body_encoding),
          ...(policy === undefined ? {} : { retryPolicy: policy && policyFromWire(policy) }),
          region: wanted.region,
          sessionId: wanted.session_id,
          tags: wanted.tags,
          proxyId: wanted.proxy_id,
          signal: gone.signal,
        });
        const bytes = await collect(response, () => gone.abort());
        const headers = Object.entries(response.headers).filter(([, value]) => value !== undefined);
        return {
          status_code: response.statusCode,
          headers: Object.fromEntries(headers) as Record<string, string | string[]>,
          ...encodeBody(bytes),
          proxy_id: response.proxyId,
          attempts: response.attempts.map(attemptToWire),
        };
      } catch (error) {
        throw error instanceof ApiError ? error : upstreamError(error, demoTarget);
      } finally {
        reply.raw.off('close', leave);
      }
    },
  );
};
