/** Providers whose way of writing sessions into credentials is known. */
export const providerNames = [
  ...(['brightdata', 'oxylabs', 'soax', 'iproyal', 'netnut', 'apify'] as const),
] as const;

export type Provider = (typeof providerNames)[number];

/** A gateway by the name of its provider, in place of its address and of placeholders in the credentials. */
export interface ProviderOptions {
  /** Whose gateway it is: its address and the way of writing sessions are filled in. See docs/exits.md. */
  readonly provider?: Provider | undefined;
  /**
   * The zone (brightdata), the kind of proxies (netnut: `res`, `dc`, `mob` or `stc`; default `res`), or the groups with `+`
   * between (apify).
   */
  readonly zone?: string | undefined;
  /** The country of the exits, such as `us`, or `{region}` for the region of each request. Default: any. */
  readonly country?: string | undefined;
}

export const providerOptionNames = ['provider', 'zone', 'country'] as const;
