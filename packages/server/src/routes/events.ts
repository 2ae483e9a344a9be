import { z } from 'zod';
import { ApiError, failures } from '../http/errors.ts';
import type { EventStream } from '../events/event-stream.ts';
import { inFlightSchema, inFlightToWire } from '../wire/in-flight-wire.ts';
import type { App, RouteContext } from './route-context.ts';

const tags = ['Requests'];
const listSchema = z
  .strictObject({ requests: z.array(inFlightSchema) })
  .meta({ id: 'RequestsInFlight' });

/** What happens right now: the requests in flight, and every event as it happens. */
export function eventsRoutes(app: App, { rotator }: RouteContext, stream: EventStream): void {
  app.get(
    '/requests',
    {
      schema: {
        operationId: 'listRequests',
        summary: 'The requests in flight',
        tags,
        response: {
          200: {
            description: 'The requests in flight.',
            content: { 'application/json': { schema: listSchema } },
          },
        },
      },
    },
    () => ({ requests: rotator.inFlight().map(inFlightToWire) }),
  );
  app.get(
    '/events',
    {
      // HEAD would run the handler, and nothing would ever end the response.
      exposeHeadRoute: false,
      schema: {
        operationId: 'streamEvents',
        summary: 'Every event as it happens',
        description:
          'Server-sent events. A new client gets a `snapshot` first, with the first 1,000 proxies and ' +
          'the total; one that comes back with Last-Event-ID gets what it missed. A client that does ' +
          'not read is dropped.',
        tags,
        querystring: z.strictObject({
          snapshot: z.enum(['true', 'false']).default('true').meta({
            description: 'false: begin with the next event, for clients that read the lists.',
          }),
        }),
        headers: z.object({ 'last-event-id': z.string().max(100).optional() }),
        response: {
          200: {
            description: 'A stream without end.',
            content: { 'text/event-stream': { schema: z.string() } },
          },
          ...failures(400, 429),
        },
      },
    },
    (request, reply) => {
      if (stream.isFull) {
        throw new ApiError(429, 'too_many_streams', 'too many event streams are open', {
          retryAfterMs: 10_000,
        });
      }
      reply.hijack();
      for (const [name, value] of Object.entries(reply.getHeaders())) {
        if (value !== undefined) reply.raw.setHeader(name, value);
      }
      stream.connect(reply.raw, {
        lastEventId: request.headers['last-event-id'],
        snapshot: request.query.snapshot === 'true',
      });
    },
  );
}
