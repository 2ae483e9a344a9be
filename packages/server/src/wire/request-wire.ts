import type { AttemptRecord } from '@whirl/rotator';
import { z } from 'zod';
import { policySchema } from './policy-wire.ts';
import { seconds } from './time-wire.ts';

/** Headers that belong to a connection, not to a request. */
const connectionHeaders = new Set([
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

const headersSchema = z
  .record(
    z
      .string()
      .regex(/^[!#$%&'*+.^_`|~0-9a-z-]+$/i, 'must be a header name')
      .refine((name) => !connectionHeaders.has(name.toLowerCase()), 'is set by the connection'),
    z
      .string()
      .max(32_768)
      .regex(/^[\t\x20-\x7e\x80-\xff]*$/, 'must be Latin-1 without control characters'),
  )
  .meta({ override: { type: 'object', additionalProperties: { type: 'string' } } });

const urlSchema = z
  .string()
  .max(16_384)
  .superRefine((text, context) => {
    const issue = (message: string) => context.addIssue({ code: 'custom', message });
    if (!URL.canParse(text)) return issue('must be an absolute URL');
    const { protocol, username, password } = new URL(text);
    if (protocol !== 'http:' && protocol !== 'https:') return issue('must be http: or https:');
    if (username !== '' || password !== '') {
      issue('must not hold credentials: send an Authorization header');
    }
  })
  .meta({ format: 'uri', examples: ['https://api.example.com/'] });

/** What to send through the pool. */
export const requestSchema = z
  .strictObject({
    url: urlSchema,
    method: z.enum(['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE']).default('GET'),
    headers: headersSchema.optional(),
    body: z.string().optional(),
    body_encoding: z.enum(['utf8', 'base64']).default('utf8').meta({
      description: 'How body is written.',
    }),
    retry_policy: policySchema.nullable().optional().meta({
      description: 'Overrides the global policy whole; null: one attempt.',
    }),
    region: z.string().max(100).optional(),
    session_id: z.string().max(1000).optional(),
    tags: z.array(z.string().max(100)).max(100).optional(),
    proxy_id: z.string().max(300).optional(),
  })
  .superRefine(({ body, body_encoding: encoding }, context) => {
    const base64 = /^[A-Za-z0-9+/]*={0,2}$/;
    if (encoding === 'base64' && (body === undefined || !base64.test(body) || body.length % 4)) {
      context.addIssue({ code: 'custom', path: ['body'], message: 'must be base64' });
    }
  })
  .meta({ id: 'ProxiedRequest' });

export const attemptSchema = z
  .strictObject({
    attempt: z.int().min(0),
    proxy_id: z.string(),
    outcome: z.enum(['success', 'failure', 'timeout', 'aborted', 'circuit_open']),
    status_code: z.int().optional(),
    error: z.string().optional(),
    latency: z.number().min(0).meta({ description: 'Seconds, to the headers or the failure.' }),
    delay_before: z.number().min(0).meta({ description: 'Seconds waited before this attempt.' }),
  })
  .meta({ id: 'Attempt' });

export const responseSchema = z
  .strictObject({
    status_code: z.int().min(100).max(999).meta({
      description: 'As the target sent it: some send statuses above 599.',
    }),
    headers: z.record(z.string(), z.union([z.string(), z.array(z.string())])),
    body: z.string(),
    body_encoding: z.enum(['utf8', 'base64']),
    proxy_id: z.string(),
    attempts: z.array(attemptSchema),
  })
  .meta({ id: 'ProxiedResponse' });

export function attemptToWire(attempt: AttemptRecord): z.infer<typeof attemptSchema> {
  return {
    attempt: attempt.attempt,
    proxy_id: attempt.proxyId,
    outcome: attempt.outcome,
    ...(attempt.statusCode === undefined ? {} : { status_code: attempt.statusCode }),
    ...(attempt.errorCode === undefined ? {} : { error: attempt.errorCode.toLowerCase() }),
    latency: seconds(attempt.latencyMs),
    delay_before: seconds(attempt.delayBeforeMs),
  };
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Bytes as text when they are UTF-8, else as base64. */
export function encodeBody(bytes: Uint8Array): { body: string; body_encoding: 'utf8' | 'base64' } {
  try {
    return { body: strictUtf8.decode(bytes), body_encoding: 'utf8' };
  } catch {
    return { body: Buffer.from(bytes).toString('base64'), body_encoding: 'base64' };
  }
}
