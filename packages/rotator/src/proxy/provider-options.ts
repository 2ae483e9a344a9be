/** Providers whose way of writing sessions into credentials is known. */
export const providerNames = [
  ...(['brightdata', 'oxylabs', 'soax', 'iproyal', 'netnut', 'apify'] as const),
] as const;

export type Provider = (typeof providerNames)[number];

/**
 * A gateway by the name of its provider, in place of its address and of placeholders in the credentials. What does not
 * go with the provider, such as a `zone` where it has none, is refused with an `InvalidProxyError` that names it.
 */
export interface ProviderOptions {
  /**
   * The provider of the gateway; its address and its way of writing sessions are filled in. Instead of `url` and
   * `host`. Default: none. See docs/exits.md.
   */
  readonly provider?: Provider | undefined;
  /**
   * The zone (brightdata, needed there), the kind of proxies (netnut: `res`, `dc`, `mob` or `stc`; default `res`), or the
   * groups with `+` between (apify; default: none is named). 1 to 256 characters. The other providers have none.
   */
  readonly zone?: string | undefined;
  /** The country of the exits, such as `us`, or `{region}` for the region of each request. Default: any. */
  readonly country?: string | undefined;
}

export const providerOptionNames = ['provider', 'zone', 'country'] as const;
