import type { GroupSnapshot, ProxyOptions, ProxySnapshot } from '@whirl/rotator';
import { z } from 'zod';
import { circuitStateSchema, stateToWire } from './circuit-wire.ts';
import { iso, seconds } from './time-wire.ts';

/** Words that stand where an id stands in the paths of the API. */
const reserved = ['import', 'unhealthy', 'metrics'];

export const idSchema = z
  .string()
  .min(1)
  .max(300)
  // eslint-disable-next-line no-control-regex
  .regex(/^[^\u0000-\u001f\u007f]+$/, 'must not hold control characters')
  .refine((id) => !/\p{Surrogate}/u.test(id), { message: 'must be well-formed Unicode' })
  // An id is shown everywhere: one that is an address may carry a password with it.
  .refine((id) => !/:\/\/|:.*@/.test(id), { message: 'must not hold a URL or a password' })
  .refine((id) => !reserved.includes(id) && id !== '.' && id !== '..', {
    message: `must not be ., .., ${reserved.join(', ')}`,
  });

const providers = ['brightdata', 'oxylabs', 'soax', 'iproyal', 'netnut', 'apify'] as const;

export const protocols = ['http', 'https', 'socks4', 'socks4a', 'socks5', 'socks5h'] as const;

/** A proxy as a text. */
export const proxyUrlSchema = z.string().min(1).max(2000);

/** A proxy as it is given: by `url`, or by `host` with what belongs to it. */
export const proxyInputSchema = z
  .strictObject({
    url: proxyUrlSchema.optional().meta({
      description:
        'http://user:pass@host:port, socks5://…, host:port or host:port:user:pass. Or host instead.',
      examples: ['http://user:pass@proxy.example.com:8080'],
    }),
    host: z.string().min(1).max(253).optional().meta({
      description: 'In place of url: a name or an address.',
    }),
    port: z.int().min(1).max(65_535).optional().meta({
      description: 'Of host. Default: that of the protocol.',
    }),
    protocol: z.enum(protocols).optional().meta({ description: 'Of host. Default: http.' }),
    username: z.string().max(1000).optional().meta({ description: 'As it is, without escapes.' }),
    password: z.string().max(1000).optional().meta({ description: 'As it is, without escapes.' }),
    id: idSchema.optional().meta({ description: 'Default: host:port, or user@host:port.' }),
    region: z.string().min(1).max(100).optional(),
    tags: z.array(z.string().min(1).max(100)).max(100).optional(),
    weight: z.number().min(0).max(1e9).optional(),
    cost: z.number().min(0).max(1e9).optional(),
    max_concurrent: z.int().min(1).max(1_000_000).optional(),
    tunnel: z.enum(['auto', 'always']).optional().meta({
      description: 'always: CONNECT for http targets too. Default: the setting of the rotator.',
    }),
    keep_alive: z.boolean().optional().meta({
      description: 'false: a connection for each request. Default: the setting of the rotator.',
    }),
    proxy_headers: z
      .record(z.string(), z.string().max(8192))
      .optional()
      .meta({
        description:
          'For the proxy itself, on CONNECT and in absolute form; of http and https only. Never shown. A ' +
          'Proxy-Authorization takes the place of username and password.',
      }),
    group: z.string().min(1).max(256).optional().meta({
      description: 'Proxies of one group are one machine, whose failures are counted once for all.',
    }),
    exits: z.int().min(1).max(100_000).optional().meta({
      description: 'Exits of a gateway with {session} in its username or password. Default: 10.',
    }),
    renew: z.boolean().optional().meta({
      description: 'Whether an exit that is to blame gets a new session at once. Default: true.',
    }),
    renew_per_minute: z.int().min(1).max(100_000).optional().meta({ description: 'Default: 60.' }),
    session_ttl: z.number().min(1).max(2_147_483).optional().meta({
      description: 'Seconds after which an exit gets a new session. Default: none.',
    }),
    regions: z.record(z.string().min(1).max(256), z.string().min(1).max(64)).optional().meta({
      description: 'How the provider spells regions, for {region}. Default: in lower case.',
    }),
    provider: z.enum(providers).optional().meta({
      description: 'Whose gateway it is: address and sessions are written as it wants them.',
    }),
    zone: z.string().min(1).max(256).optional().meta({ description: 'Of the provider.' }),
    country: z.string().min(1).max(256).optional().meta({
      description: 'Of a provider’s exits, such as us, or {region} for that of each request.',
    }),
  })
  .refine(
    ({ url, host, provider }) =>
      provider !== undefined || (url === undefined) !== (host === undefined),
    { message: 'there must be either a url or a host', path: ['url'] },
  )
  .meta({ id: 'ProxyInput' });

/** The machine that several proxies are. */
export const groupSchema = z
  .strictObject({
    name: z.string(),
    state: circuitStateSchema,
    size: z.int().min(0).meta({ description: 'Proxies in it, each exit counted.' }),
    failure_count: z.int().min(0).meta({ description: 'Failures of the machine in a row.' }),
    next_test_time: z.iso.datetime().nullable(),
  })
  .meta({ id: 'ProxyGroup' });

/** The exits of a gateway, folded. */
export const exitsSchema = z
  .strictObject({
    count: z.int().min(0),
    available: z.int().min(0),
    renewed: z.int().min(0).meta({ description: 'Exits that got a new session so far.' }),
    regions: z.array(z.string()).meta({ description: 'Empty where exits are for any region.' }),
  })
  .meta({ id: 'ProxyExits' });

/** A proxy as it is shown. Its password never is. */
export const proxySchema = z
  .strictObject({
    id: z.string(),
    url: z.string().meta({ description: 'Without the password.' }),
    region: z.string().nullable(),
    tags: z.array(z.string()),
    weight: z.number(),
    state: circuitStateSchema,
    success_rate: z.number().min(0).max(1),
    avg_latency: z.number().nullable().meta({ description: 'Seconds.' }),
    score: z.number().meta({ description: 'How good the strategy finds it; higher is better.' }),
    in_flight: z.int().min(0),
    group: groupSchema.optional().meta({ description: 'Absent without a group.' }),
    exits: exitsSchema.optional().meta({
      description: 'Of a gateway; the other numbers are of all its exits then.',
    }),
  })
  .meta({ id: 'Proxy' });

export function proxyFromWire(wire: z.infer<typeof proxyInputSchema>): ProxyOptions {
  const {
    max_concurrent: maxConcurrent,
    keep_alive: keepAlive,
    proxy_headers: proxyHeaders,
    renew_per_minute: renewPerMinute,
    session_ttl: sessionTtl,
    ...rest
  } = wire;
  const sessionTtlMs = sessionTtl === undefined ? undefined : Math.round(sessionTtl * 1000);
  return { ...rest, maxConcurrent, keepAlive, proxyHeaders, renewPerMinute, sessionTtlMs };
}

function groupToWire(group: GroupSnapshot): z.infer<typeof groupSchema> {
  const { name, state, size, failureCount, nextTestAt } = group;
  return {
    name,
    state: stateToWire(state),
    size,
    failure_count: failureCount,
    next_test_time: nextTestAt === undefined ? null : iso(nextTestAt),
  };
}

export function proxyToWire(proxy: ProxySnapshot): z.infer<typeof proxySchema> {
  return {
    id: proxy.id,
    url: proxy.url,
    region: proxy.region ?? null,
    tags: [...proxy.tags],
    weight: proxy.weight,
    state: stateToWire(proxy.state),
    success_rate: proxy.successRate,
    avg_latency: seconds(proxy.avgLatencyMs),
    score: proxy.score,
    in_flight: proxy.inFlight,
    ...(proxy.group === undefined ? {} : { group: groupToWire(proxy.group) }),
    ...(proxy.exits === undefined
      ? {}
      : { exits: { ...proxy.exits, regions: [...proxy.exits.regions] } }),
  };
}
