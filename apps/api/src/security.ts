import bearerAuth from '@fastify/bearer-auth';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ApiError } from './errors.ts';
import { allowsHost } from './hosts.ts';
import { WrongTokens } from './wrong-tokens.ts';

export interface SecurityOptions {
  /** The address that is bound. */
  readonly host: string;
  readonly token: string | undefined;
  readonly allowedHosts: readonly string[];
}

/** Different wrong tokens that one address may send within the window. */
const maxWrongTokens = 20;
const windowMs = 60_000;

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Everything comes from this server; nothing inline, nothing from elsewhere. */
const contentSecurityPolicy = {
  useDefaults: false,
  directives: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'"],
    connectSrc: ["'self'"],
    imgSrc: ["'self'", 'data:'],
    fontSrc: ["'self'"],
    manifestSrc: ["'self'"],
    baseUri: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
  },
};

/**
 * A page of another site can send a "simple" POST to a loopback address without asking first. It
 * cannot hide where it comes from.
 */
function comesFromElsewhere(request: FastifyRequest): boolean {
  if (safeMethods.has(request.method)) return false;
  const { origin, host } = request.headers;
  if (origin !== undefined) {
    return !URL.canParse(origin) || new URL(origin).host !== host?.toLowerCase();
  }
  return request.headers['sec-fetch-site'] === 'cross-site';
}

/** Headers, Host and Origin checks, for every route. */
export async function secure(app: FastifyInstance, options: SecurityOptions): Promise<void> {
  await app.register(helmet, {
    contentSecurityPolicy,
    // The server itself speaks plain http: promising https would lock people out.
    strictTransportSecurity: false,
    originAgentCluster: true,
    referrerPolicy: { policy: 'no-referrer' },
  });
  app.addHook('onRequest', async (request) => {
    const health = request.url.startsWith('/health/');
    // Probes reach a container under whatever name it has today; health tells no secret.
    if (!health && !allowsHost(request.headers.host, options)) {
      throw new ApiError(403, 'forbidden_host', 'this Host is not one that the server answers to');
    }
    if (comesFromElsewhere(request)) {
      throw new ApiError(403, 'forbidden_origin', 'a page of another origin may not change this');
    }
  });
}

/**
 * Demands the bearer token of every route registered in this scope. An address that has sent too
 * many different wrong ones is refused before its token is looked at. The comparison takes constant
 * time.
 */
export async function demandToken(app: FastifyInstance, token: string): Promise<void> {
  await app.register(rateLimit, { global: false });
  await app.register(bearerAuth, {
    keys: new Set([token]),
    addHook: false,
    // RFC 9110, section 11.1: the name of the scheme is case-insensitive.
    specCompliance: 'rfc6749',
    verifyErrorLogLevel: 'debug',
  });
  const wrongTokens = app.createRateLimit({ max: maxWrongTokens, timeWindow: windowMs });
  const seen = new WrongTokens(windowMs);
  app.addHook('onRequest', async (request, reply) => {
    const soFar = await wrongTokens(request, { increment: false });
    if (!soFar.isAllowed && soFar.remaining === 0) {
      throw new ApiError(429, 'rate_limited', 'too many wrong tokens from this address', {
        retryAfterMs: soFar.ttl,
      });
    }
    const refused = await new Promise<Error | undefined>((resolve) => {
      app.verifyBearerAuth?.(request, reply, resolve);
    });
    if (refused !== undefined) {
      // No token at all is no guess: a page that was not given one yet must not lock its user out.
      const { authorization } = request.headers;
      if (authorization !== undefined && seen.isNew(request.ip, authorization)) {
        await wrongTokens(request);
      }
      reply.header('www-authenticate', 'Bearer');
      throw new ApiError(401, 'unauthorized', 'send the token: Authorization: Bearer <token>');
    }
  });
}
