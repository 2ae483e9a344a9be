import type { ExitTemplate } from './exit-template.ts';
import type { Proxy } from './proxy.ts';
import type { SessionTokens } from './session-tokens.ts';

/** A proxy that is a gateway: it has exits. */
export type Gateway = Proxy & { readonly exits: ExitTemplate };

export function isGateway(proxy: Proxy): proxy is Gateway {
  return proxy.exits !== undefined;
}

/** What exits have in common. */
export interface ExitSource {
  readonly gateway: Gateway;
  readonly tokens: SessionTokens;
}

interface Session {
  readonly text?: string;
  readonly number?: string;
  readonly uuid?: string;
}

/**
 * A gateway with one session: a member of the pool as any proxy is. Its credentials are no own properties, so that no
 * log prints them, and its session is drawn when it is used first.
 */
export class Exit implements Proxy {
  readonly id: string;
  readonly region: string | undefined;
  readonly #source: ExitSource;
  #session: Session | undefined;
  #credentials: ReturnType<ExitTemplate['credentials']> | undefined;

  constructor(source: ExitSource, id: string, region: string | undefined) {
    this.#source = source;
    this.id = id;
    this.region = region;
  }

  /** The proxy whose exit it is. */
  get gateway(): Gateway {
    return this.#source.gateway;
  }

  get protocol() {
    return this.#source.gateway.protocol;
  }

  get host() {
    return this.#source.gateway.host;
  }

  get port() {
    return this.#source.gateway.port;
  }

  get username(): string | undefined {
    return this.#filled.username;
  }

  get password(): string | undefined {
    return this.#filled.password;
  }

  get tags() {
    return this.#source.gateway.tags;
  }

  get weight() {
    return this.#source.gateway.weight;
  }

  get cost() {
    return this.#source.gateway.cost;
  }

  get maxConcurrent() {
    return this.#source.gateway.maxConcurrent;
  }

  get tunnel() {
    return this.#source.gateway.tunnel;
  }

  get keepAlive() {
    return this.#source.gateway.keepAlive;
  }

  get proxyHeaders() {
    return this.#source.gateway.proxyHeaders;
  }

  get group() {
    return this.#source.gateway.group;
  }

  get exits() {
    return undefined;
  }

  /** That of the gateway: with placeholders, and without the password. */
  get url(): string {
    return this.#source.gateway.url;
  }

  /** What must not be shown of it, beside the password. */
  get secrets(): string[] {
    const { username } = this.#filled;
    return [username, ...Object.values(this.#session ?? {})].filter((each) => each !== undefined);
  }

  /** The same exit with a session that was never used before. */
  renewed(): Exit {
    return new Exit(this.#source, this.id, this.region);
  }

  /** The same exit and session, as an option of its gateway has changed. */
  under(source: ExitSource, region: string | undefined): Exit {
    const exit = new Exit(source, this.id, region);
    exit.#session = this.#session;
    return exit;
  }

  get #filled() {
    return (this.#credentials ??= this.#source.gateway.exits.credentials((kind) => {
      const session = {
        ...this.#session,
        [kind]: this.#session?.[kind] ?? this.#source.tokens.next(kind),
      };
      this.#session = session;
      return session[kind] as string;
    }, this.region));
  }
}
