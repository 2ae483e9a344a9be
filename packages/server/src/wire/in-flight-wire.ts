import type { RequestSnapshot } from '@whirl/rotator';
import { z } from 'zod';
import { iso } from './time-wire.ts';

export const inFlightSchema = z
  .strictObject({
    request_id: z.string(),
    method: z.string(),
    origin: z.string(),
    attempt: z.int().min(0),
    proxy_id: z.string().nullable(),
    next_retry_at: z.iso.datetime().nullable(),
  })
  .meta({ id: 'RequestInFlight' });

export function inFlightToWire(request: RequestSnapshot): z.infer<typeof inFlightSchema> {
  return {
    request_id: request.requestId,
    method: request.method,
    origin: request.origin,
    attempt: request.attempt,
    proxy_id: request.proxyId ?? null,
    next_retry_at: iso(request.nextRetryAt),
  };
}
