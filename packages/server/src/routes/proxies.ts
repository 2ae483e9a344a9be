import type { ProxyRotator } from '@whirl/rotator';
import { z } from 'zod';
import { ApiError, failures } from '../http/errors.ts';
import { listEnd, listQuery } from '../listing/list-query.ts';
import { arrayOf, listRows, sendText } from '../listing/list-rows.ts';
import type { SortValue } from '../listing/page.ts';
import { addOne, understood } from '../proxies/import-proxies.ts';
import { inTurn } from '../proxies/in-turn.ts';
import { readProxy } from '../proxies/proxy-list.ts';
import { proxyInputSchema, proxySchema, proxyToWire } from '../wire/proxy-wire.ts';
import type { Routes } from './route-context.ts';
import { importRoute } from './import-proxies.ts';

const tags = ['Proxies'];
const params = z.object({ id: z.string().meta({ description: "The proxy's id." }) });

const json = (description: string, schema: z.ZodType) => ({
  description,
  content: { 'application/json': { schema } },
});
const sorts = [
  'id',
  'region',
  'weight',
  'state',
  'success_rate',
  'avg_latency',
  'score',
  'in_flight',
] as const;
const querystring = z.strictObject(
  listQuery(sorts, Object.keys(proxySchema.shape) as (keyof typeof proxySchema.shape)[]),
);
const listSchema = z
  .strictObject({
    proxies: z.array(
      proxySchema
        .partial()
        .meta({ id: 'ProxyRow', description: 'A proxy, with the fields that were asked for.' }),
    ),
    ...listEnd,
  })
  .meta({ id: 'Proxies' });
const removedSchema = z
  .strictObject({ removed: z.array(z.string()) })
  .meta({ id: 'RemovedProxies' });

function find(rotator: ProxyRotator, id: string) {
  const found = rotator.proxy(id);
  if (found === undefined) throw new ApiError(404, 'not_found', `no proxy has the id "${id}"`);
  return proxyToWire(found);
}

/** Shows and changes the pool. */
export const proxiesRoutes: Routes = (app, context) => {
  const { rotator } = context;
  app.get(
    '/proxies',
    {
      schema: {
        operationId: 'listProxies',
        summary: 'The pool',
        tags,
        querystring,
        response: { 200: json('A page of the pool.', listSchema), ...failures(400) },
      },
    },
    async ({ query }, reply) => {
      const read = (id: string) => {
        const proxy = rotator.proxy(id);
        return proxy && proxyToWire(proxy);
      };
      const rows = await listRows(rotator, query, {
        ids: () => rotator.proxyIds(),
        valueOf: (id, key) => {
          // An id needs no look at what is known of the proxy.
          if (key === 'id') return rotator.hasProxy(id) ? null : undefined;
          return read(id)?.[key] as SortValue | undefined;
        },
        read,
      });
      return sendText(reply, arrayOf('proxies', rows));
    },
  );
  app.post(
    '/proxies',
    {
      schema: {
        operationId: 'addProxy',
        summary: 'Add a proxy',
        tags,
        body: proxyInputSchema,
        response: { 201: json('The proxy.', proxySchema), ...failures(400, 409, 413, 415) },
      },
    },
    async ({ body }, reply) => {
      const proxy = understood(() => readProxy(body));
      const id = await inTurn(rotator, () => addOne(rotator, proxy));
      return reply
        .code(201)
        .header('location', `/api/v1/proxies/${encodeURIComponent(id)}`)
        .send(find(rotator, id));
    },
  );
  app.get(
    '/proxies/:id',
    {
      schema: {
        operationId: 'getProxy',
        summary: 'One proxy',
        tags,
        params,
        response: { 200: json('The proxy.', proxySchema), ...failures(400, 404) },
      },
    },
    ({ params: { id } }) => find(rotator, id),
  );
  app.delete(
    '/proxies/:id',
    {
      schema: {
        operationId: 'removeProxy',
        summary: 'Remove a proxy; requests in flight through it go on',
        tags,
        params,
        response: { 204: { description: 'It is gone.' }, ...failures(400, 404, 413, 415) },
      },
    },
    async ({ params: { id } }, reply) => {
      if (!(await inTurn(rotator, () => rotator.removeProxy(id)))) {
        throw new ApiError(404, 'not_found', `no proxy has the id "${id}"`);
      }
      return reply.code(204).send();
    },
  );
  importRoute(app, context);
  app.delete(
    '/proxies/unhealthy',
    {
      schema: {
        operationId: 'removeUnhealthyProxies',
        summary: 'Remove those with an open circuit, or with ≥ 20 outcomes and < 10 % success',
        tags,
        response: { 200: json('What was removed.', removedSchema), ...failures(400, 413, 415) },
      },
    },
    async () => ({ removed: await inTurn(rotator, () => rotator.clearUnhealthyProxiesAsync()) }),
  );
};
