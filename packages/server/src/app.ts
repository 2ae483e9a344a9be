import { fileURLToPath } from 'node:url';
import compress from '@fastify/compress';
import type { Gateway } from '@whirl/gateway';
import type { ProxyRotator, RetryPolicyOptions } from '@whirl/rotator';
import Fastify, { LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import { validatorCompiler } from 'fastify-zod-openapi';
import { circuitToWire } from './wire/circuit-wire.ts';
import { dashboardRoutes } from './dashboard.ts';
import { respondError, respondNotFound, failures } from './http/errors.ts';
import { EventStream, type EventStreamOptions } from './events/event-stream.ts';
import type { JoinedFleet } from './fleet.ts';
import { inFlightToWire } from './wire/in-flight-wire.ts';
import { toOriginForm } from './http/hosts.ts';
import { addBareHeaders, respondExpectation, respondMalformed } from './http/malformed.ts';
import { describeApi, documentationRoutes } from './openapi.ts';
import { policyToWire } from './wire/policy-wire.ts';
import { proxyToWire } from './wire/proxy-wire.ts';
import type { App, RouteContext, Mode, Routes } from './routes/route-context.ts';
import { circuitBreakerRoutes } from './routes/circuit-breakers.ts';
import { eventsRoutes } from './routes/events.ts';
import { fleetRoutes } from './routes/fleet.ts';
import { metricsRoutes } from './routes/metrics.ts';
import { healthRoutes, prometheusRoutes } from './routes/operations.ts';
import { proxiesRoutes } from './routes/proxies.ts';
import { requestRoutes } from './routes/request.ts';
import { retryPolicyRoutes } from './routes/retry-policy.ts';
import { statusRoutes } from './routes/status.ts';
import { targetsRoutes } from './routes/targets.ts';
import { demandToken, secure } from './http/security.ts';

export interface AppOptions {
  readonly rotator: ProxyRotator;
  /** The policy that the rotator was given. A PATCH keeps what stands in it. */
  readonly givenPolicy?: RetryPolicyOptions | null | undefined;
  /** Default `live`. */
  readonly mode?: Mode | undefined;
  /** What the demo's proxies reach. Default: there is no demo. */
  readonly demoTarget?: string | undefined;
  /** The proxy server over the pool, once it listens. */
  readonly gateway?: (() => Gateway | undefined) | undefined;
  /** Default: the server is alone. */
  readonly fleet?: JoinedFleet | undefined;
  /** The address that will be bound. Default 127.0.0.1. */
  readonly host?: string | undefined;
  /** Default: none, which only a loopback address allows. */
  readonly token?: string | undefined;
  /** Names that the Host header may have besides loopback ones. */
  readonly allowedHosts?: readonly string[] | undefined;
  /** Addresses and networks whose X-Forwarded-For, -Host and -Proto are believed. Default: none. */
  readonly trustProxy?: readonly string[] | undefined;
  readonly dashboard?: boolean | undefined;
  /** The built page. Default: `dist/dashboard`. */
  readonly dashboardFolder?: string | undefined;
  readonly logger?: FastifyBaseLogger | undefined;
  /** Bounds of the event stream. */
  readonly events?: Omit<EventStreamOptions, 'bus' | 'snapshot' | 'onDrop'> | undefined;
  readonly now?: (() => number) | undefined;
}

const areas: readonly Routes[] = [
  retryPolicyRoutes,
  circuitBreakerRoutes,
  metricsRoutes,
  proxiesRoutes,
  requestRoutes,
  statusRoutes,
  targetsRoutes,
  fleetRoutes,
];

/** Responses are typed by their schemas and checked against them in tests: here they are written. */
const writeJson = () => (body: unknown) => JSON.stringify(body);

function createFastify(
  logger: FastifyBaseLogger | undefined,
  trustProxy: readonly string[],
): FastifyInstance {
  const app = Fastify({
    ...(logger === undefined ? {} : { loggerInstance: logger }),
    logController: new LogController({ disableRequestLogging: true }),
    trustProxy: trustProxy.length === 0 ? false : [...trustProxy],
    bodyLimit: 1024 * 1024,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    routerOptions: { maxParamLength: 1000 },
    requestTimeout: 120_000,
    frameworkErrors: (error, request, reply) => respondError(error, request, addBareHeaders(reply)),
    clientErrorHandler: respondMalformed,
    rewriteUrl: toOriginForm,
  });
  app.server.on('checkExpectation', respondExpectation);
  app.setErrorHandler(respondError);
  app.setNotFoundHandler(respondNotFound);
  // A POST without a body is fine whatever content type it names.
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined);
    else void parseJson(request, body as string, done);
  });
  return app;
}

/** Requests that run when the server closes are the last of their connections. */
function endConnectionsOnClose(app: FastifyInstance): void {
  let closing = false;
  app.addHook('preClose', async () => {
    closing = true;
  });
  app.addHook('onSend', async (_request, reply) => {
    if (closing) reply.header('connection', 'close');
  });
}

type Responses = Readonly<Record<string, { readonly content?: Record<string, object> }>>;

/** The description is written into these objects: routes that share one would share what is written. */
function ownResponses(responses: Responses): Responses {
  const own = ([statusCode, { content, ...rest }]: [string, Responses[string]]) => {
    if (content === undefined) return [statusCode, rest];
    const types = Object.entries(content).map(([type, each]) => [type, { ...each }]);
    return [statusCode, { ...rest, content: Object.fromEntries(types) as Record<string, object> }];
  };
  return Object.fromEntries(Object.entries(responses).map(own)) as Responses;
}

/** Proxies in a snapshot. It is made in one turn of the event loop, and held for the clients that come soon. */
const snapshotProxies = 1000;

/** What a client of the event stream starts from. */
function snapshotOf(rotator: ProxyRotator): object {
  const ids: string[] = [];
  for (const id of rotator.proxyIds()) {
    if (ids.push(id) >= snapshotProxies) break;
  }
  return {
    retry_policy: policyToWire(rotator.retryPolicy),
    total: rotator.size,
    proxies: ids.flatMap((id) => rotator.proxy(id) ?? []).map(proxyToWire),
    circuit_breakers: ids.flatMap((id) => {
      const circuit = rotator.circuitBreakerState(id);
      return circuit === undefined ? [] : [circuitToWire(id, circuit)];
    }),
    requests: rotator.inFlight().map(inFlightToWire),
  };
}

function openEventStream(
  context: RouteContext,
  app: FastifyInstance,
  options: AppOptions,
): EventStream {
  const { rotator } = context;
  const stream = new EventStream({
    ...options.events,
    bus: rotator.bus,
    snapshot: () => snapshotOf(rotator),
    onDrop: (bufferedBytes) => app.log.info({ bufferedBytes }, 'dropped a slow event stream'),
  });
  app.addHook('preClose', async () => stream.close());
  return stream;
}

/** The server, not yet listening. */
export async function buildApp(options: AppOptions): Promise<FastifyInstance> {
  const {
    rotator,
    givenPolicy,
    host = '127.0.0.1',
    token,
    allowedHosts = [],
    dashboard = true,
    dashboardFolder = fileURLToPath(new URL('../dist/dashboard/', import.meta.url)),
    now = Date.now,
    mode = 'live',
  } = options;
  const app = createFastify(options.logger, options.trustProxy ?? []);
  const { gateway = () => undefined, demoTarget, fleet } = options;
  const context: RouteContext = { rotator, givenPolicy, now, mode, demoTarget, gateway, fleet };
  endConnectionsOnClose(app);
  await secure(app, { host, token, allowedHosts });
  // Request bodies stay as they are: a small one that grows without bound is refused, not inflated.
  await app.register(compress, {
    encodings: ['br', 'gzip'],
    globalDecompression: false,
    zlibOptions: { level: 4 },
  });
  await describeApi(app);
  const stream = openEventStream(context, app, options);

  const typed = (scope: FastifyInstance): App => {
    scope.setValidatorCompiler(validatorCompiler);
    scope.setSerializerCompiler(writeJson);
    return scope as unknown as App;
  };
  await app.register(async (open) => {
    healthRoutes(typed(open), context);
    await open.register(dashboardRoutes, { enabled: dashboard, folder: dashboardFolder });
  });
  await app.register(async (guarded) => {
    // The statuses of the checks before every handler.
    guarded.addHook('onRoute', ({ schema }) => {
      if (schema === undefined || schema.hide === true) return;
      schema.response = ownResponses({
        ...failures(400, 401, 403, 429),
        ...(schema.response as Responses),
      });
    });
    if (token !== undefined) await demandToken(guarded, token);
    await guarded.register(documentationRoutes);
    prometheusRoutes(typed(guarded), context);
    await guarded.register(
      async (api) => {
        for (const routes of areas) routes(typed(api), context);
        eventsRoutes(typed(api), context, stream);
      },
      { prefix: '/api/v1' },
    );
  });
  await app.ready();
  return app;
}
