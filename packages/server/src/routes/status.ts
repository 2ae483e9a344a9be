import { z } from 'zod';
import { version } from '../version.ts';
import { gatewaySchema, gatewayToWire } from '../wire/gateway-wire.ts';
import { modes, type Routes } from './route-context.ts';

const statusSchema = z
  .strictObject({
    mode: z.enum(modes).meta({
      description: "`demo`: the proxies are the demo's own, and reach nothing but its targets.",
    }),
    demo_target: z.string().nullable().meta({
      description: 'What the proxies of the demo reach; null without a demo.',
    }),
    version: z.string().meta({ description: 'The version of @whirl/server.' }),
    proxies: z.int().min(0).meta({ description: 'Proxies in the pool.' }),
    gateway: gatewaySchema.nullable().meta({
      description: 'The proxy server over the pool; null where there is none.',
    }),
    uptime: z.number().min(0).meta({ description: 'Seconds since the server started.' }),
  })
  .meta({ id: 'Status' });

/** What this server is, for a page or a script that wants to know before it sends anything. */
export const statusRoutes: Routes = (app, { rotator, mode, demoTarget, gateway, now }) => {
  const startedAt = now();
  app.get(
    '/status',
    {
      schema: {
        operationId: 'getStatus',
        summary: 'What the server is: a demo or live',
        tags: ['Operations'],
        response: {
          200: {
            description: 'The status.',
            content: { 'application/json': { schema: statusSchema } },
          },
        },
      },
    },
    () => ({
      mode,
      demo_target: demoTarget ?? null,
      version,
      proxies: rotator.size,
      gateway: gatewayToWire(gateway()),
      uptime: Math.max(0, now() - startedAt) / 1000,
    }),
  );
};
