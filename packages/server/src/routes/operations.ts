import { renderFleetPrometheus } from '@whirl/fleet/prometheus';
import { renderPrometheus } from '@whirl/metrics/prometheus';
import { z } from 'zod';
import { ApiError, failures } from '../http/errors.ts';
import { Readiness } from '../readiness.ts';
import { modes, type Routes } from './route-context.ts';

const livenessSchema = z.strictObject({ status: z.string() }).meta({ id: 'Liveness' });
const readinessSchema = z
  .strictObject({ status: z.string(), mode: z.enum(modes) })
  .meta({ id: 'Readiness' });
const health = (description: string, schema: z.ZodType) => ({
  description,
  content: { 'application/json': { schema } },
});

/** Whether the server runs, and whether it can do its work. Open to probes without a token. */
export const healthRoutes: Routes = (app, { rotator, mode }) => {
  const tags = ['Operations'];
  const readiness = new Readiness(rotator);
  app.get(
    '/health/live',
    {
      schema: {
        operationId: 'getLiveness',
        summary: 'Whether the server runs',
        security: [],
        tags,
        response: { 200: health('It runs.', livenessSchema), ...failures(400) },
      },
    },
    () => ({ status: 'ok' }),
  );
  app.get(
    '/health/ready',
    {
      schema: {
        operationId: 'getReadiness',
        summary: 'Whether a proxy is available',
        security: [],
        tags,
        response: { 200: health('One is.', readinessSchema), ...failures(400, 503) },
      },
    },
    () => {
      if (readiness.isReady) return { status: 'ok', mode };
      throw new ApiError(503, 'not_ready', 'no proxy is available');
    },
  );
};

/** Metrics for Prometheus. */
export const prometheusRoutes: Routes = (app, { rotator, fleet: joined }) => {
  app.get(
    '/metrics',
    {
      schema: {
        operationId: 'scrapeMetrics',
        summary: 'Metrics in the text format of Prometheus',
        tags: ['Operations'],
        response: {
          200: {
            description: 'Text format 0.0.4.',
            content: { 'text/plain': { schema: z.string() } },
          },
        },
      },
    },
    (_request, reply) => {
      reply.type('text/plain; version=0.0.4; charset=utf-8');
      const page = renderPrometheus(rotator.getRetryMetrics(), {
        circuits: rotator.circuitCounts(),
        inFlight: rotator.inFlight().length,
        proxies: rotator.size,
      });
      return joined === undefined ? page : page + renderFleetPrometheus(joined.fleet.metrics());
    },
  );
};
