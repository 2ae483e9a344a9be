interface Common {
  /** Milliseconds before the response begins. Default 0. */
  readonly latencyMs?: number | undefined;
  /** Hosts that this proxy refuses; with 403 unless another status is given. */
  readonly bannedHosts?:
    readonly { readonly host: string; readonly statusCode?: number }[] | undefined;
}

/**
 * What a proxy does with the requests that reach it. Where a tunnel is meant, a request in absolute
 * form gets the nearest thing.
 *
 * | kind | on the wire |
 * |---|---|
 * | `ok` | forwards |
 * | `refuse` | nothing listens |
 * | `close` | FIN as soon as the connection is accepted |
 * | `reset` | RST when the request arrives |
 * | `hang` | reads, never responds |
 * | `half-close` | FIN when the request arrives, without a response; never closes its own reading side |
 * | `garbage` | bytes that are not HTTP, then FIN |
 * | `large-header` | a response whose head has 64 KB |
 * | `dribble` | the response, one byte every `everyMs`: all of it, or of a forwarded one the body |
 * | `status` | responds with this status itself |
 * | `close-after-connect` | 200 to CONNECT, then FIN |
 * | `silent-after-connect` | 200 to CONNECT, then nothing |
 * | `plain-after-connect` | 200 to CONNECT, then text that is not TLS |
 * | `cut-body` | forwards, then RST after so many bytes of the body (of the tunnel) |
 * | `mix` | each part by its ratio of the requests, `ok` for the rest |
 */
export type Behaviour = Common &
  (
    | { readonly kind: 'ok' }
    | { readonly kind: 'refuse' }
    | { readonly kind: 'close' }
    | { readonly kind: 'reset' }
    | { readonly kind: 'hang' }
    | { readonly kind: 'half-close' }
    | { readonly kind: 'garbage' }
    | { readonly kind: 'large-header' }
    | { readonly kind: 'dribble'; readonly everyMs?: number; readonly part?: 'all' | 'body' }
    | { readonly kind: 'status'; readonly statusCode: number; readonly retryAfter?: string }
    | { readonly kind: 'close-after-connect' }
    | { readonly kind: 'silent-after-connect' }
    | { readonly kind: 'plain-after-connect' }
    | { readonly kind: 'cut-body'; readonly afterBytes?: number }
    | {
        readonly kind: 'mix';
        readonly parts: readonly { readonly ratio: number; readonly behaviour: Behaviour }[];
      }
  );

/** Decides a `mix`; what its parts do not say of latency and bans, the mix says. */
export function draw(from: Behaviour, random: () => number): Behaviour {
  if (from.kind !== 'mix') return from;
  const { latencyMs, bannedHosts } = from;
  let at = random();
  for (const { ratio, behaviour } of from.parts) {
    if (at < ratio) return draw({ latencyMs, bannedHosts, ...behaviour }, random);
    at -= ratio;
  }
  return { kind: 'ok', latencyMs, bannedHosts };
}
