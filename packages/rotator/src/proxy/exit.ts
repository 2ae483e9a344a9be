import type { ExitTemplate } from './exit-template.ts';
import type { Proxy } from './proxy.ts';
import type { SessionTokens } from './session-tokens.ts';

/** A proxy that is a gateway: it has exits. */
export type Gateway = Proxy & { readonly exits: ExitTemplate };

export function isGateway(proxy: Proxy): proxy is Gateway {
  return proxy.exits !== undefined;
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
  readonly #gateway: Gateway;
  readonly #tokens: SessionTokens;
  #session: Session | undefined;
  #credentials: ReturnType<ExitTemplate['credentials']> | undefined;

  constructor(gateway: Gateway, id: string, region: string | undefined, tokens: SessionTokens) {
    this.#gateway = gateway;
    this.id = id;
    this.region = region;
    this.#tokens = tokens;
  }

  /** The proxy whose exit it is. */
  get gateway(): Gateway {
    return this.#gateway;
  }

  get protocol() {
    return this.#gateway.protocol;
  }

  get host() {
    return this.#gateway.host;
  }

  get port() {
    return this.#gateway.port;
  }

  get username(): string | undefined {
    return this.#filled.username;
  }

  get password(): string | undefined {
    return this.#filled.password;
  }

  get tags() {
    return this.#gateway.tags;
  }

  get weight() {
    return this.#gateway.weight;
  }

  get cost() {
    return this.#gateway.cost;
  }

  get maxConcurrent() {
    return this.#gateway.maxConcurrent;
  }

  get tunnel() {
    return this.#gateway.tunnel;
  }

  get keepAlive() {
    return this.#gateway.keepAlive;
  }

  get proxyHeaders() {
    return this.#gateway.proxyHeaders;
  }

  get group() {
    return this.#gateway.group;
  }

  get exits() {
    return undefined;
  }

  /** That of the gateway: with placeholders, and without the password. */
  get url(): string {
    return this.#gateway.url;
  }

  /** What must not be shown of it, beside the password. */
  get secrets(): string[] {
    const { username } = this.#filled;
    return [username, ...Object.values(this.#session ?? {})].filter((each) => each !== undefined);
  }

  /** The same exit with a session that was never used before. */
  renewed(): Exit {
    return new Exit(this.#gateway, this.id, this.region, this.#tokens);
  }

  /** The same exit and session, as an option of its gateway has changed. */
  under(gateway: Gateway, region: string | undefined): Exit {
    const exit = new Exit(gateway, this.id, region, this.#tokens);
    exit.#session = this.#session;
    return exit;
  }

  get #filled() {
    return (this.#credentials ??= this.#gateway.exits.credentials((kind) => {
      const session = {
        ...this.#session,
        [kind]: this.#session?.[kind] ?? this.#tokens.next(kind),
      };
      this.#session = session;
      return session[kind] as string;
    }, this.region));
  }
}
