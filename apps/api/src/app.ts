import { renderPrometheus } from '@whirl/metrics/prometheus';
import type { CircuitBreakerView, ProxyRotator } from '@whirl/rotator';
import Fastify, { type FastifyInstance } from 'fastify';
import { appCss, appJs, page } from './page.ts';
import {
  ApiError,
  hoursSchema,
  policyFromWire,
  policySchema,
  policyToWire,
  read,
  requestSchema,
} from './wire.ts';

const maxBodyBytes = 10 * 1024 * 1024;
const hosts = new Set(['localhost', '127.0.0.1', '[::1]']);

const iso = (at: number | undefined) => (at === undefined ? null : new Date(at).toISOString());
const toSeconds = (ms: number | null | undefined) =>
  ms === null || ms === undefined ? null : ms / 1000;

function circuitToWire(id: string, circuit: CircuitBreakerView) {
  const forced = circuit.state === 'forced_open' || circuit.state === 'disabled';
  return {
    proxy_id: id,
    state:
      circuit.state === 'forced_open'
        ? 'open'
        : circuit.state === 'disabled'
          ? 'closed'
          : circuit.state,
    forced,
    failure_count: circuit.failureCount,
    failure_threshold: circuit.failureThreshold,
    window_duration: circuit.windowMs / 1000,
    timeout_duration: circuit.openMs / 1000,
    next_test_time: iso(circuit.nextTestAt),
    last_state_change: iso(circuit.lastTransitionAt),
  };
}

/** The status that a failed request has on the wire. */
function statusOf(code: string | undefined): number {
  switch (code) {
    case 'INVALID_REQUEST':
    case 'INVALID_POLICY':
      return 400;
    case 'ALL_PROXIES_UNAVAILABLE':
    case 'NO_PROXIES':
    case 'PROXIES_BUSY':
    case 'CLOSED':
      return 503;
    case 'REQUEST_TIMEOUT':
      return 504;
    default:
      return 502;
  }
}

export interface AppOptions {
  readonly rotator: ProxyRotator;
  readonly now?: () => number;
}

/** The server, not yet listening. */
export function buildApp({ rotator, now = Date.now }: AppOptions): FastifyInstance {
  const app = Fastify({ bodyLimit: 1024 * 1024, forceCloseConnections: 'idle' });
  const metrics = rotator.getRetryMetrics();
  let updatedAt = now();
  const offPolicy = rotator.bus.on('policy:changed', () => (updatedAt = now()));
  app.addHook('onClose', () => offPolicy());

  app.addHook('onRequest', async (request, reply) => {
    const host = (request.headers.host ?? '').replace(/:\d+$/, '');
    reply.headers({
      'content-security-policy': "default-src 'self'; frame-ancestors 'none'; base-uri 'none'",
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    });
    if (!hosts.has(host)) throw new ApiError(403, 'forbidden_host', 'this Host is not allowed');
  });
  app.setErrorHandler((error: Error & { statusCode?: number; code?: string }, _request, reply) => {
    if (error instanceof ApiError) {
      const { details, retryAfterMs } = error;
      if (retryAfterMs !== undefined) reply.header('retry-after', Math.ceil(retryAfterMs / 1000));
      return reply
        .code(error.statusCode)
        .send({ error: error.error, message: error.message, ...(details && { details }) });
    }
    const statusCode = error.statusCode ?? 500;
    const message = statusCode >= 500 ? 'something went wrong' : error.message;
    return reply.code(statusCode).send({ error: error.code ?? 'internal', message });
  });
  app.setNotFoundHandler((request, reply) =>
    reply.code(404).send({ error: 'not_found', message: `no ${request.method} at this address` }),
  );

  const policy = () => ({ ...policyToWire(rotator.retryPolicy), updated_at: iso(updatedAt) });
  const change = (wire: Parameters<typeof policyFromWire>[0]) => {
    try {
      rotator.retryPolicy = policyFromWire(wire);
    } catch (error) {
      const { issues = [] } = error as { issues?: { field: string; message: string }[] };
      const details: Record<string, string> = {};
      for (const { field, message } of issues) {
        const snake = field.replace(/Ms$/, '').replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);
        details[snake] = message;
      }
      throw new ApiError(400, 'invalid_input', (error as Error).message, details);
    }
    return policy();
  };
  app.get('/api/v1/retry/policy', () => policy());
  app.put('/api/v1/retry/policy', (request) => change(read(policySchema, request.body)));
  app.patch('/api/v1/retry/policy', (request) =>
    change({ ...policyToWire(rotator.retryPolicy), ...read(policySchema, request.body) }),
  );

  const circuit = (id: string) => {
    const found = rotator.getCircuitBreakerStates().get(id);
    if (found === undefined) throw new ApiError(404, 'not_found', `no proxy has the id "${id}"`);
    return circuitToWire(id, found);
  };
  app.get('/api/v1/circuit-breakers', () => ({
    circuit_breakers: [...rotator.getCircuitBreakerStates()].map(([id, each]) =>
      circuitToWire(id, each),
    ),
  }));
  app.get('/api/v1/circuit-breakers/metrics', (request) => ({
    events: metrics.circuitEvents(read(hoursSchema, request.query)).map((event) => ({
      proxy_id: event.name,
      from_state: event.from,
      to_state: event.to,
      timestamp: iso(event.at),
      failure_count: event.failureCount,
    })),
  }));
  app.get<{ Params: { id: string } }>('/api/v1/circuit-breakers/:id', ({ params }) =>
    circuit(params.id),
  );
  app.post<{ Params: { id: string } }>('/api/v1/circuit-breakers/:id/reset', ({ params }) => {
    rotator.resetCircuitBreaker(params.id);
    return circuit(params.id);
  });
  app.post<{ Params: { id: string } }>('/api/v1/circuit-breakers/:id/open', ({ params }) => {
    rotator.forceOpenCircuitBreaker(params.id);
    return circuit(params.id);
  });

  app.get('/api/v1/metrics/retries', () => {
    const summary = metrics.getSummary();
    return {
      total_requests: summary.totalRequests,
      refused_requests: summary.refusedRequests,
      total_attempts: summary.totalAttempts,
      total_retries: summary.totalRetries,
      success_by_attempt: summary.successByAttempt,
      retries_refused: summary.retriesRefused,
      failure_by_reason: summary.failureByReason,
      circuit_breaker_events_count: summary.circuitBreakerEventsCount,
      retention_hours: summary.retentionHours,
    };
  });
  app.get('/api/v1/metrics/retries/timeseries', (request) => ({
    data_points: metrics.getTimeseries(read(hoursSchema, request.query)).map((point) => ({
      timestamp: point.timestamp,
      total_requests: point.totalRequests,
      total_retries: point.totalRetries,
      success_rate: point.successRate,
      avg_latency: toSeconds(point.avgLatency),
      p50: toSeconds(point.p50),
      p95: toSeconds(point.p95),
      p99: toSeconds(point.p99),
    })),
  }));
  app.get('/api/v1/metrics/retries/by-proxy', (request) => ({
    proxies: Object.fromEntries(
      Object.entries(metrics.getByProxy(read(hoursSchema, request.query))).map(([id, each]) => [
        id,
        {
          proxy_id: id,
          total_attempts: each.totalAttempts,
          success_count: each.successCount,
          failure_count: each.failureCount,
          avg_latency: toSeconds(each.avgLatency),
          p50: toSeconds(each.p50),
          p95: toSeconds(each.p95),
          p99: toSeconds(each.p99),
          circuit_breaker_opens: each.circuitBreakerOpens,
        },
      ]),
    ),
  }));
  app.get('/api/v1/metrics/retries/by-policy', (request) => ({
    policies: Object.fromEntries(
      Object.entries(metrics.getByPolicy(read(hoursSchema, request.query))).map(([name, each]) => [
        name,
        { total_requests: each.totalRequests, success_rate: each.successRate },
      ]),
    ),
  }));

  app.get('/api/v1/proxies', () => ({
    proxies: rotator.proxies().map((proxy) => ({
      id: proxy.id,
      url: proxy.url,
      region: proxy.region ?? null,
      tags: proxy.tags,
      weight: proxy.weight,
      state: proxy.state,
      success_rate: proxy.successRate,
      avg_latency: toSeconds(proxy.avgLatencyMs),
      in_flight: proxy.inFlight,
    })),
  }));

  app.post('/api/v1/request', async (request) => {
    const wanted = read(requestSchema, request.body);
    const { retry_policy: given } = wanted;
    try {
      const response = await rotator.request(wanted.url, {
        method: wanted.method,
        headers: wanted.headers,
        body: wanted.body,
        ...(given === undefined
          ? {}
          : { retryPolicy: given === null ? null : policyFromWire(given) }),
        region: wanted.region,
        sessionId: wanted.session_id,
        tags: wanted.tags,
        proxyId: wanted.proxy_id,
      });
      const chunks: Buffer[] = [];
      let size = 0;
      for await (const chunk of response.body) {
        size += (chunk as Buffer).length;
        if (size > maxBodyBytes) {
          throw new ApiError(502, 'body_too_large', 'the response body is over 10 MiB');
        }
        chunks.push(chunk as Buffer);
      }
      const bytes = Buffer.concat(chunks);
      const text = bytes.toString('utf8');
      const utf8 = Buffer.from(text, 'utf8').equals(bytes);
      return {
        status_code: response.statusCode,
        headers: response.headers,
        body: utf8 ? text : bytes.toString('base64'),
        body_encoding: utf8 ? 'utf8' : 'base64',
        proxy_id: response.proxyId,
        attempts: response.attempts.map((each) => ({
          attempt: each.attempt,
          proxy_id: each.proxyId,
          outcome: each.outcome,
          ...(each.statusCode === undefined ? {} : { status_code: each.statusCode }),
          latency: each.latencyMs / 1000,
          delay_before: each.delayBeforeMs / 1000,
        })),
      };
    } catch (error) {
      if (error instanceof ApiError) throw error;
      const { code, message, retryAfterMs } = error as {
        code?: string;
        message: string;
        retryAfterMs?: number;
      };
      const name = (code ?? 'request_failed').toLowerCase();
      throw new ApiError(statusOf(code), name, message, undefined, retryAfterMs);
    }
  });
  app.get('/api/v1/requests', () => ({
    requests: rotator.inFlight().map((each) => ({
      request_id: each.requestId,
      method: each.method,
      origin: each.origin,
      attempt: each.attempt,
      proxy_id: each.proxyId ?? null,
      next_retry_at: iso(each.nextRetryAt),
    })),
  }));

  app.get('/metrics', (_request, reply) => {
    const circuits = [...rotator.getCircuitBreakerStates()].map(([proxyId, { state }]) => ({
      proxyId,
      state,
    }));
    return reply.type('text/plain; version=0.0.4; charset=utf-8').send(
      renderPrometheus(metrics, {
        circuits,
        inFlight: rotator.inFlight().length,
        proxies: circuits.length,
      }),
    );
  });
  app.get('/health/live', () => ({ status: 'ok' }));
  app.get('/health/ready', (_request, reply) => {
    const ready = [...rotator.getCircuitBreakerStates().values()].some((each) => each.canAttempt);
    return reply.code(ready ? 200 : 503).send({ status: ready ? 'ok' : 'no proxy is available' });
  });
  app.get('/', (_request, reply) => reply.type('text/html; charset=utf-8').send(page));
  app.get('/app.js', (_request, reply) => reply.type('text/javascript; charset=utf-8').send(appJs));
  app.get('/app.css', (_request, reply) => reply.type('text/css; charset=utf-8').send(appCss));
  return app;
}
