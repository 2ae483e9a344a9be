import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { RequestValidationError } from 'fastify-zod-openapi';
import { z } from 'zod';
import { fieldsOf } from './validation.ts';

/** The shape of every response that is not a success. */
export const errorSchema = z
  .strictObject({
    error: z
      .string()
      .regex(/^[a-z0-9_]+$/)
      .meta({ description: 'A stable name for programs.' }),
    message: z.string().meta({ description: 'A sentence for people.' }),
    details: z
      .record(z.string(), z.unknown())
      .optional()
      .meta({
        description:
          'For invalid_input: what is wrong, by field. For invalid_proxy: the first 20 issues of a list, ' +
          'each { line, reason }, and issue_count. For proxy_exists: the first 20 ids, and count.',
      }),
  })
  .meta({ id: 'Error' });

export type ErrorBody = z.infer<typeof errorSchema>;

const meanings: Readonly<Record<number, string>> = {
  400: 'The input is not valid; details names each field.',
  401: 'The bearer token is missing or wrong.',
  403: 'The Host or Origin of the request is not allowed.',
  404: 'There is no such thing.',
  409: 'It is there already.',
  413: 'The body is too large.',
  415: 'The content type is not understood.',
  429: 'Too many wrong tokens, or too many event streams, from one address.',
  502: 'The proxies or the target failed; details tells each attempt.',
  503: 'No proxy may be used now; Retry-After tells when one may be.',
  504: 'The request did not end within the timeout of its policy.',
};

/** Response schemas for the statuses that a route can respond with besides its success. */
export function failures(...statusCodes: readonly number[]) {
  return Object.fromEntries(
    statusCodes.map((statusCode) => [
      statusCode,
      {
        description: meanings[statusCode] ?? 'It failed.',
        content: { 'application/json': { schema: errorSchema } },
      },
    ]),
  );
}

interface ErrorExtras {
  readonly details?: Readonly<Record<string, unknown>> | undefined;
  readonly retryAfterMs?: number | undefined;
}

/** A response that is not a success. */
export class ApiError extends Error {
  readonly statusCode: number;
  readonly error: string;
  readonly details: Readonly<Record<string, unknown>> | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(statusCode: number, error: string, message: string, extras: ErrorExtras = {}) {
    super(message);
    this.statusCode = statusCode;
    this.error = error;
    this.details = extras.details;
    this.retryAfterMs = extras.retryAfterMs;
  }
}

const maxFields = 20;
const maxFieldLength = 100;

/** Names each wrong field, up to 20 of them: the response is small whatever the input was. */
export function invalidInput(given: Readonly<Record<string, string>>): ApiError {
  const entries = Object.entries(given);
  const shown = entries
    .slice(0, maxFields)
    .map(([field, why]) => [field.slice(0, maxFieldLength), why.slice(0, 200)] as const);
  const list = shown.map(([field, why]) => `${field || 'the body'}: ${why}`);
  if (entries.length > maxFields) list.push(`and ${entries.length - maxFields} more`);
  const details = Object.fromEntries(shown);
  return new ApiError(400, 'invalid_input', list.join('; '), { details });
}

/** The server's own words for what Fastify refuses. */
const refusals: Readonly<Record<string, readonly [statusCode: number, error: string]>> = {
  FST_ERR_CTP_INVALID_JSON_BODY: [400, 'invalid_json'],
  FST_ERR_CTP_BODY_TOO_LARGE: [413, 'body_too_large'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [415, 'unsupported_media_type'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [400, 'invalid_content_length'],
  FST_ERR_BAD_URL: [400, 'invalid_path'],
  FST_ERR_MAX_PARAM_LENGTH: [404, 'not_found'],
};

function toApiError(error: FastifyError | ApiError): ApiError {
  if (error instanceof ApiError) return error;
  if (error.validation !== undefined) {
    const issues = error.validation
      .filter((each) => each instanceof RequestValidationError)
      .map((each) => each.params.issue);
    return invalidInput(fieldsOf(issues));
  }
  const known = refusals[error.code];
  if (known !== undefined) return new ApiError(known[0], known[1], error.message);
  if (error instanceof SyntaxError) return new ApiError(400, 'invalid_json', 'it is not JSON');
  const { statusCode = 500 } = error;
  if (statusCode >= 500) return new ApiError(500, 'internal', 'something went wrong');
  return new ApiError(statusCode, 'bad_request', error.message);
}

/** Responds to any error in the one shape; what is not expected is logged and not shown. */
export function respondError(
  error: FastifyError | ApiError,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const { statusCode, error: name, message, details, retryAfterMs } = toApiError(error);
  if (statusCode === 500) request.log.error({ err: error }, 'unexpected error');
  if (retryAfterMs !== undefined) {
    reply.header('retry-after', Math.max(1, Math.ceil(retryAfterMs / 1000)));
  }
  const body: ErrorBody = { error: name, message, ...(details && { details }) };
  return reply.code(statusCode).type('application/json; charset=utf-8').send(JSON.stringify(body));
}

export function respondNotFound(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const message = `there is no ${request.method} at this path`;
  return respondError(new ApiError(404, 'not_found', message), request, reply);
}
