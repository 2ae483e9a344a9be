import type { ProxyOptions, ProxySnapshot } from '@whirl/rotator';
import { z } from 'zod';
import { circuitStateSchema, stateToWire } from './circuit-wire.ts';
import { seconds } from './time-wire.ts';

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
  })
  .refine(({ url, host }) => (url === undefined) !== (host === undefined), {
    message: 'there must be either a url or a host',
    path: ['url'],
  })
  .meta({ id: 'ProxyInput' });

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
  })
  .meta({ id: 'Proxy' });

export function proxyFromWire(wire: z.infer<typeof proxyInputSchema>): ProxyOptions {
  const {
    max_concurrent: maxConcurrent,
    keep_alive: keepAlive,
    proxy_headers: proxyHeaders,
    ...rest
  } = wire;
  return { ...rest, maxConcurrent, keepAlive, proxyHeaders };
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
  };
}
