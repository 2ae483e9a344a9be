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
function comesFromElsewhere({ method, headers, host }: FastifyRequest): boolean {
  if (safeMethods.has(method)) return false;
  const { origin } = headers;
  if (origin === undefined) return headers['sec-fetch-site'] === 'cross-site';
  if (!URL.canParse(origin)) return true;
  const { protocol, host: from } = new URL(origin);
  // A reverse proxy may pass the default port on, which an origin never names.
  const asked = host.toLowerCase().replace(protocol === 'https:' ? /:443$/ : /:80$/, '');
  return from !== asked;
}

/** The number of Host headers, of names and values that alternate. */
function hostCount(rawHeaders: readonly string[]): number {
  let count = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.toLowerCase() === 'host') count++;
  }
  return count;
}

/** A header's value as an error message shows it. */
function shown(value: string | undefined): string {
  return value === undefined ? 'none' : JSON.stringify(value.slice(0, 200));
}

/** The names of this server, for the message that refuses another. */
function serverNames({ host, allowedHosts }: SecurityOptions): string {
  return [...new Set(['localhost', host, ...allowedHosts])].join(', ');
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
  app.addHook('onRequest', async (request, reply) => {
    // RFC 9112, section 3.2. Node keeps the first one; a reverse proxy in front may have looked at the other, and may
    // not agree where this request ends: nothing more is read from this connection.
    if (hostCount(request.raw.rawHeaders) > 1) {
      reply.header('connection', 'close');
      throw new ApiError(400, 'duplicate_host', 'the request has more than one Host header');
    }
    const health = request.url.startsWith('/health/');
    // Probes reach a container under whatever name it has today; health tells no secret.
    // `host` is the one that a trusted reverse proxy was asked for.
    if (!health && !allowsHost(request.host, options)) {
      throw new ApiError(
        403,
        'forbidden_host',
        `the Host is ${shown(request.host)}, the server accepts ${serverNames(options)}; ` +
          'add the name to WHIRL_API_ALLOWED_HOSTS',
      );
    }
    if (comesFromElsewhere(request)) {
      const from = request.headers.origin ?? request.headers['sec-fetch-site'];
      throw new ApiError(
        403,
        'forbidden_origin',
        `a page of ${shown(from as string)} may change nothing on a server asked for as ` +
          `${shown(request.host)}; behind a reverse proxy set WHIRL_TRUST_PROXY to its address`,
      );
    }
  });
}

/**
 * Browsers ask for a name and a password where they are told `Basic`: the password is the token,
 * the name does not matter. So the pages under /docs open without a page that signs in.
 */
function bearerOf(authorization: string | undefined): string | undefined {
  const pair = /^basic +([a-z0-9+/]+=*)$/i.exec(authorization ?? '')?.[1];
  if (pair === undefined) return authorization;
  const text = Buffer.from(pair, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon === -1 ? authorization : `Bearer ${text.slice(colon + 1)}`;
}

/**
 * Demands the bearer token of every route registered in this scope. The right token is never
 * refused. An address that has sent too many different wrong ones hears 429 instead of 401. The
 * comparison takes constant time.
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
    const { authorization } = request.headers;
    request.headers.authorization = bearerOf(authorization);
    const refused = await new Promise<Error | undefined>((resolve) => {
      app.verifyBearerAuth?.(request, reply, resolve);
    });
    if (refused === undefined) return;
    // No token at all is no guess: a page that was not given one yet must not lock its user out.
    if (authorization !== undefined) {
      const soFar = await wrongTokens(request, { increment: false });
      if (!soFar.isAllowed && soFar.remaining === 0) {
        throw new ApiError(429, 'rate_limited', 'too many wrong tokens from this address', {
          retryAfterMs: soFar.ttl,
        });
      }
      if (seen.isNew(request.ip, authorization)) await wrongTokens(request);
    }
    const browser = request.url.startsWith('/docs');
    reply.header('www-authenticate', browser ? 'Basic realm="whirl", Bearer' : 'Bearer');
    throw new ApiError(401, 'unauthorized', 'send the token: Authorization: Bearer <token>');
  });
}
