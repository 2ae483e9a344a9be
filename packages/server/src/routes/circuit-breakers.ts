import { z } from 'zod';
import {
  circuitSchema,
  circuitStateSchema,
  circuitToWire,
  stateToWire,
} from '../wire/circuit-wire.ts';
import { ApiError, failures } from '../http/errors.ts';
import { listEnd, listQuery } from '../listing/list-query.ts';
import { arrayOf, listRows, sendText } from '../listing/list-rows.ts';
import type { SortValue } from '../listing/page.ts';
import { iso } from '../wire/time-wire.ts';
import type { Routes } from './route-context.ts';
import { hoursSchema } from './hours.ts';

const tags = ['Circuit breakers'];
const params = z.object({
  id: z.string().meta({ description: "The proxy's id.", examples: ['proxy.example.com:8080'] }),
});
const one = {
  200: {
    description: 'The circuit.',
    content: { 'application/json': { schema: circuitSchema } },
  },
};
const sorts = [
  'proxy_id',
  'state',
  'failure_count',
  'next_test_time',
  'last_state_change',
] as const;
const querystring = z.strictObject(
  listQuery(sorts, Object.keys(circuitSchema.shape) as (keyof typeof circuitSchema.shape)[]),
);
const listSchema = z
  .strictObject({
    circuit_breakers: z.array(
      circuitSchema.partial().meta({
        id: 'CircuitBreakerRow',
        description: 'A circuit, with the fields that were asked for.',
      }),
    ),
    ...listEnd,
  })
  .meta({ id: 'CircuitBreakers' });
const eventsSchema = z
  .strictObject({
    events: z.array(
      z.strictObject({
        proxy_id: z.string(),
        from_state: circuitStateSchema,
        to_state: circuitStateSchema,
        reason: z.string(),
        timestamp: z.iso.datetime(),
        failure_count: z.int().min(0),
      }),
    ),
  })
  .meta({ id: 'CircuitBreakerEvents' });

/** Shows circuits, resets them and forces them open. */
export const circuitBreakerRoutes: Routes = (app, { rotator }) => {
  const read = (id: string) => {
    const found = rotator.circuitBreakerState(id);
    return found && circuitToWire(id, found);
  };
  const circuit = (id: string) => {
    const found = read(id);
    if (found === undefined) throw new ApiError(404, 'not_found', `no proxy has the id "${id}"`);
    return found;
  };

  app.get(
    '/circuit-breakers',
    {
      schema: {
        operationId: 'listCircuitBreakers',
        summary: 'The circuit of every proxy',
        tags,
        querystring,
        response: {
          200: {
            description: 'A page of the circuits of all proxies in the pool, used or not.',
            content: { 'application/json': { schema: listSchema } },
          },
          ...failures(400),
        },
      },
    },
    async ({ query }, reply) => {
      const rows = await listRows(rotator, query, {
        ids: () => rotator.proxyIds(),
        valueOf: (id, key) => {
          const found = rotator.circuitBreakerState(id);
          if (found === undefined) return undefined;
          return key === 'proxy_id' ? null : (circuitToWire(id, found)[key] as SortValue);
        },
        read,
      });
      return sendText(reply, arrayOf('circuit_breakers', rows));
    },
  );
  app.get(
    '/circuit-breakers/metrics',
    {
      schema: {
        operationId: 'listCircuitBreakerEvents',
        summary: 'The latest transitions, oldest first',
        tags,
        querystring: hoursSchema,
        response: {
          200: {
            description: 'At most the last 1,000.',
            content: { 'application/json': { schema: eventsSchema } },
          },
          ...failures(400),
        },
      },
    },
    ({ query: { hours } }) => ({
      events: rotator
        .getRetryMetrics()
        .circuitEvents({ hours })
        .map((event) => ({
          proxy_id: event.name,
          from_state: stateToWire(event.from),
          to_state: stateToWire(event.to),
          reason: event.reason,
          timestamp: iso(event.at),
          failure_count: event.failureCount,
        })),
    }),
  );
  app.get(
    '/circuit-breakers/:id',
    {
      schema: {
        operationId: 'getCircuitBreaker',
        summary: 'The circuit of one proxy',
        tags,
        params,
        response: { ...one, ...failures(400, 404) },
      },
    },
    ({ params: { id } }) => circuit(id),
  );
  app.post(
    '/circuit-breakers/:id/reset',
    {
      schema: {
        operationId: 'resetCircuitBreaker',
        summary: 'Close a circuit and forget its failures',
        tags,
        params,
        response: { ...one, ...failures(400, 404, 413, 415) },
      },
    },
    ({ params: { id } }) => {
      rotator.resetCircuitBreaker(id);
      return circuit(id);
    },
  );
  app.post(
    '/circuit-breakers/:id/open',
    {
      schema: {
        operationId: 'openCircuitBreaker',
        summary: 'Take a proxy out of rotation until its circuit is reset',
        tags,
        params,
        response: { ...one, ...failures(400, 404, 413, 415) },
      },
    },
    ({ params: { id } }) => {
      rotator.forceOpenCircuitBreaker(id);
      return circuit(id);
    },
  );
};
