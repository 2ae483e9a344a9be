import { asWritten, asWrittenInUrl, fill, type Filling, type Placeholder } from './placeholders.ts';

/**
 * How a gateway is used through several exits. `regions` needs `{region}` in its user name or password, the others need
 * `{session}`. A bad one is refused with an `InvalidProxyError` that names it.
 */
export interface ExitOptions {
  /**
   * How many exits a gateway is used through, each with a session of its own. An integer from 1 to 100,000, default 10;
   * 1 without `{session}`.
   */
  readonly exits?: number | undefined;
  /** Whether an exit that is to blame gets a new session at once, instead of its circuit opening. Default true. */
  readonly renew?: boolean | undefined;
  /**
   * Renewals of all its exits together within any 60 s; beyond it circuits open. An integer from 1 to 100,000,
   * default 60.
   */
  readonly renewPerMinute?: number | undefined;
  /**
   * Milliseconds that a session lives at the provider, as `{ttl}` asks for: an exit whose time is over gets a new one
   * as soon as it has no request. An integer from 1,000 to 2^31 − 1. Default: no bound.
   */
  readonly sessionTtlMs?: number | undefined;
  /**
   * How the provider spells regions, as `{ GB: 'uk' }`. A spelling has at most 64 characters, no colons, braces and
   * control characters. Default: the region in lower case.
   */
  readonly regions?: Readonly<Record<string, string>> | undefined;
}

export const exitOptionNames = [
  ...['exits', 'renew', 'renewPerMinute', 'sessionTtlMs', 'regions'],
] as const;

export const maxExits = 100_000;
const defaultExits = 10;
const defaultRenewals = 60;
const maxSpelled = 64;

/** A region that may stand in a user name: no sign that providers put between their words. */
const plainRegion = /^[\p{L}\p{N}_ .+]{1,64}$/u;

/** User name and password with placeholders, and what is made of them: an exit for each session. */
export class ExitTemplate {
  readonly count: number;
  readonly renew: boolean;
  readonly renewPerMinute: number;
  readonly sessionTtlMs: number | undefined;
  /** Its credentials hold a region. */
  readonly regional: boolean;
  /** Exits are made for each region that is asked for. */
  readonly perRegion: boolean;
  readonly #username: string;
  readonly #password: string;
  readonly #regions: Readonly<Record<string, string>>;

  /** The credentials have their placeholders marked. `region`: the only one that exits are made for. */
  constructor(
    { username = '', password = '', placeholders = new Set() }: MarkedCredentials,
    options: ExitOptions,
    region?: string,
  ) {
    const names = placeholders;
    const hasSession = [...names].some((name) => name.startsWith('session'));
    const hasRegion = names.has('region') || names.has('region:upper');
    this.count = options.exits ?? (hasSession ? defaultExits : 1);
    this.renew = hasSession && options.renew !== false;
    this.renewPerMinute = options.renewPerMinute ?? defaultRenewals;
    this.sessionTtlMs = hasSession ? options.sessionTtlMs : undefined;
    this.regional = hasRegion;
    this.perRegion = hasRegion && region === undefined;
    this.#username = username;
    this.#password = password;
    this.#regions = { ...options.regions };
    Object.freeze(this);
  }

  /** As it was written, with its placeholders and without the password. */
  get username(): string {
    return asWritten(this.#username);
  }

  /** As it was written. */
  get password(): string {
    return asWritten(this.#password);
  }

  /** The user name as a part of a URL. */
  get usernameInUrl(): string {
    return asWrittenInUrl(this.#username);
  }

  /** The password as a part of a URL. */
  get passwordInUrl(): string {
    return asWrittenInUrl(this.#password);
  }

  /** The regions that have a spelling of their own, in their order. */
  get namedRegions(): readonly string[] {
    return Object.keys(this.#regions);
  }

  /** How the provider spells a region; undefined: nothing that could stand in a user name. */
  spelled(region: string): string | undefined {
    if (Object.hasOwn(this.#regions, region)) return this.#regions[region];
    return plainRegion.test(region) ? region.toLowerCase() : undefined;
  }

  /** What an exit is sent with. */
  credentials(
    session: Filling['session'],
    region: string | undefined,
  ): { readonly username: string | undefined; readonly password: string | undefined } {
    const filling: Filling = {
      session,
      region: region === undefined ? undefined : this.spelled(region),
      ttlMs: this.sessionTtlMs,
    };
    return {
      username: fill(this.#username, filling) || undefined,
      password: fill(this.#password, filling) || undefined,
    };
  }

  /** Whether exits of both are sent the same, but for their sessions. */
  sameCredentials(other: ExitTemplate): boolean {
    return (
      this.#username === other.#username &&
      this.#password === other.#password &&
      this.sessionTtlMs === other.sessionTtlMs &&
      JSON.stringify(this.#regions) === JSON.stringify(other.#regions)
    );
  }

  same(other: ExitTemplate | undefined): boolean {
    return (
      other !== undefined &&
      this.sameCredentials(other) &&
      this.count === other.count &&
      this.renew === other.renew &&
      this.renewPerMinute === other.renewPerMinute
    );
  }
}

export interface MarkedCredentials {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly placeholders?: ReadonlySet<Placeholder> | undefined;
}

/** Why options of exits do not go with the placeholders; undefined: they do. Types and bounds were checked before. */
export function whyNoExits(
  { exits = 1, sessionTtlMs, regions, renew, renewPerMinute }: ExitOptions,
  names: ReadonlySet<Placeholder> = new Set(),
): string | undefined {
  const hasSession = [...names].some((name) => name.startsWith('session'));
  const hasRegion = names.has('region') || names.has('region:upper');
  const write = (placeholder: string) =>
    `goes with a gateway of exits: write ${placeholder} into its username or password`;
  if (!hasSession) {
    if (exits > 1) return `exits ${write('{session}')}`;
    if (renew === true) return `renew ${write('{session}')}`;
    if (renewPerMinute !== undefined) return `renewPerMinute ${write('{session}')}`;
    if (sessionTtlMs !== undefined) return `sessionTtlMs ${write('{session}')}`;
  }
  if (!hasRegion && regions !== undefined) return `regions ${write('{region}')}`;
  const ttl = names.has('ttl') ? '{ttl}' : names.has('ttl:minutes') ? '{ttl:minutes}' : undefined;
  return ttl !== undefined && sessionTtlMs === undefined
    ? `${ttl} needs sessionTtlMs, the milliseconds that a session lives`
    : undefined;
}

/** Why a spelling cannot stand in credentials; undefined: it can. */
export function whyNoSpelling(spelling: unknown): string | undefined {
  // oxlint-disable-next-line no-control-regex -- control characters are what it looks for
  if (typeof spelling === 'string' && /^[^\u0000-\u001f\u007f:{}]+$/.test(spelling)) {
    return spelling.length <= maxSpelled ? undefined : `at most ${maxSpelled} characters`;
  }
  return 'a string without colons, braces and control characters';
}
