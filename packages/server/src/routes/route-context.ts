import type { Gateway } from '@whirl/gateway';
import type { ProxyRotator, RetryPolicyOptions } from '@whirl/rotator';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { FastifyZodOpenApiTypeProvider } from 'fastify-zod-openapi';
import type { JoinedFleet } from '../fleet.ts';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** A Fastify instance whose handlers are typed by their zod schemas. */
export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  FastifyZodOpenApiTypeProvider
>;

/** What the routes of the API work on. */
export interface RouteContext {
  readonly rotator: ProxyRotator;
  /** The policy as the rotator was given it: tells what was written from what is a default. */
  readonly givenPolicy: RetryPolicyOptions | null | undefined;
  /** Epoch milliseconds by the wall clock. */
  readonly now: () => number;
  readonly mode: Mode;
  /** The proxy server over the pool; undefined where there is none. */
  readonly gateway: () => Gateway | undefined;
  /** Undefined where the server is alone. */
  readonly fleet: JoinedFleet | undefined;
  /** What the demo's proxies reach; undefined without a demo. */
  readonly demoTarget: string | undefined;
}

/** `demo`: the pool holds the demo's proxies, which reach the demo's targets alone. */
export const modes = ['demo', 'live'] as const;
export type Mode = (typeof modes)[number];

/** Adds the routes of one area of the API. */
export type Routes = (app: App, context: RouteContext) => void;
