import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { fastifyZodOpenApiPlugin, fastifyZodOpenApiTransformers } from 'fastify-zod-openapi';

/** Collects the routes registered after it into one OpenAPI document. */
export async function describeApi(app: FastifyInstance): Promise<void> {
  await app.register(fastifyZodOpenApiPlugin);
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'whirl',
        version: '1.0.0',
        description:
          'HTTP requests through a pool of unreliable proxies: retries, failover and circuit ' +
          'breakers. Durations are seconds. Every error has the shape of `Error`.',
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: '/' }],
      tags: [
        { name: 'Retry policy', description: 'When and how a request is tried again.' },
        { name: 'Circuit breakers', description: 'Which proxies are left alone for a while.' },
        { name: 'Metrics', description: 'What retries and failover did.' },
        { name: 'Proxies', description: 'The pool.' },
        { name: 'Requests', description: 'Sending, and watching what is sent.' },
        { name: 'Operations', description: 'For probes and Prometheus.' },
      ],
      components: {
        securitySchemes: {
          token: {
            type: 'http',
            scheme: 'bearer',
            description: 'Only when the server has a token.',
          },
        },
      },
      // Either with the token, or without on a server that has none.
      security: [{ token: [] }, {}],
    },
    ...fastifyZodOpenApiTransformers,
  });
}

/** The document at /openapi.json and a page at /docs that needs nothing from elsewhere. */
export async function documentationRoutes(app: FastifyInstance): Promise<void> {
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger());
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    indexPrefix: '',
    // Without the bar on top, whose box opens other documents: the CSP allows none from elsewhere.
    uiConfig: { layout: 'BaseLayout', validatorUrl: null, docExpansion: 'list' },
    theme: { title: 'whirl API' },
  });
}
