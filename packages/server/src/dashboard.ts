import { existsSync } from 'node:fs';
import path from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';

export interface DashboardOptions {
  readonly enabled: boolean;
  /** The folder of the built page: index.html and its assets. */
  readonly folder: string;
}

const hint = `whirl is running.

  /docs          the API, to read and to try
  /openapi.json  the same for programs
  /metrics       for Prometheus
  /health/ready  for probes
`;

/** The page at `/`. Open without a token: it holds nothing but markup. */
export async function dashboardRoutes(
  app: FastifyInstance,
  { enabled, folder }: DashboardOptions,
): Promise<void> {
  app.addHook('onRoute', (route) => {
    route.schema = { ...route.schema, hide: true };
  });
  if (!enabled || !existsSync(path.join(folder, 'index.html'))) {
    app.get('/', (_request, reply) => reply.type('text/plain; charset=utf-8').send(hint));
    return;
  }
  await app.register(fastifyStatic, {
    root: folder,
    // The files are known at the start; each gets a route, and nothing else is looked up.
    wildcard: false,
    cacheControl: false,
    setHeaders: (response, file) => {
      const hashed = path.relative(folder, file).startsWith(`assets${path.sep}`);
      void response.header(
        'cache-control',
        hashed ? 'public, max-age=31536000, immutable' : 'no-cache',
      );
    },
  });
}
