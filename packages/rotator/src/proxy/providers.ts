import type { Provider } from './provider-options.ts';
import type { ProxyOptions } from './proxy.ts';
import { Refusal } from './refusal.ts';

interface Given {
  readonly username: string;
  readonly password: string;
  readonly zone: string | undefined;
  readonly country: string | undefined;
  /** Milliseconds. */
  readonly ttlMs: number | undefined;
}

interface Preset {
  readonly host: string;
  readonly port: number;
  /** Options without which there are no credentials. */
  readonly needs: readonly ('username' | 'zone')[];
  /** Whether it has a use for `zone`. */
  readonly zoned?: boolean | undefined;
  readonly regions?: Readonly<Record<string, string>> | undefined;
  credentials(given: Given): { readonly username: string; readonly password: string };
}

/** What stands between words, `-`, where there is a word. */
function joined(...words: (string | false | undefined)[]): string {
  return words.filter((word) => word !== undefined && word !== false && word !== '').join('-');
}

const presets: Readonly<Record<Provider, Preset>> = {
  /** Source: docs.brightdata.com, "Send your first request" of each proxy network, and "Proxy configuration options". */
  brightdata: {
    host: 'brd.superproxy.io',
    port: 33_335,
    needs: ['username', 'zone'],
    zoned: true,
    credentials: ({ username, password, zone, country }) => ({
      username: joined(
        `brd-customer-${username}-zone-${zone}`,
        country && `country-${country}`,
        'session-{session}',
      ),
      password,
    }),
  },
  /** Source: developers.oxylabs.io, residential proxies, "Session control". The time is in minutes. */
  oxylabs: {
    host: 'pr.oxylabs.io',
    port: 7777,
    needs: ['username'],
    credentials: ({ username, password, country, ttlMs }) => ({
      username: joined(
        `customer-${username}`,
        country && `cc-${country}`,
        'sessid-{session}',
        ttlMs !== undefined && 'sesstime-{ttl:minutes}',
      ),
      password,
    }),
  },
  /** Source: helpcenter.soax.com, "Sticky sessions". `username` is the package's id; the length is in seconds. */
  soax: {
    host: 'proxy.soax.com',
    port: 5000,
    needs: ['username'],
    credentials: ({ username, password, country, ttlMs }) => ({
      username: joined(
        `package-${username}`,
        country && `country-${country}`,
        'sessionid-{session}',
        ttlMs !== undefined && 'sessionlength-{ttl}',
      ),
      password,
    }),
  },
  /** Source: docs.iproyal.com, residential proxies, "Rotation" and "Location". A session has 8 characters exactly. */
  iproyal: {
    host: 'geo.iproyal.com',
    port: 12_321,
    needs: ['username'],
    credentials: ({ username, password, country, ttlMs }) => ({
      username,
      password:
        password +
        (country === undefined ? '' : `_country-${country}`) +
        '_session-{session}' +
        (ttlMs === undefined ? '' : '_lifetime-{ttl}s'),
    }),
  },
  /** Source: help.netnut.io, "Initial setup" and "cURL request parameters". It spells the United Kingdom `uk`. */
  netnut: {
    host: 'gw.netnut.net',
    port: 5959,
    needs: ['username'],
    zoned: true,
    regions: { GB: 'uk', gb: 'uk' },
    credentials: ({ username, password, zone = 'res', country = 'any' }) => ({
      username: joined(username, zone, country, 'sid-{session:number}'),
      password,
    }),
  },
  /** Source: docs.apify.com, "Proxy usage". The account is in the password alone; countries have capitals. */
  apify: {
    host: 'proxy.apify.com',
    port: 8000,
    needs: [],
    zoned: true,
    credentials: ({ password, zone, country }) => ({
      username: [
        ...(zone === undefined ? [] : [`groups-${zone}`]),
        'session-{session}',
        ...(country === undefined ? [] : [`country-${capitals(country)}`]),
      ].join(','),
      password,
    }),
  },
};

function capitals(country: string): string {
  return country === '{region}' ? '{region:upper}' : country.toUpperCase();
}

/** What a country may be written as: no sign that providers put between their words. */
const plainCountry = /^[a-z0-9_]{1,64}$/i;

/** The options with what their provider's name stands for; those of other proxies as they are. */
export function withPreset(options: ProxyOptions): ProxyOptions | Refusal {
  const { provider, zone, country, ...others } = options;
  if (provider === undefined) {
    const beside = zone === undefined ? (country === undefined ? undefined : 'country') : 'zone';
    return beside === undefined
      ? options
      : new Refusal(`${beside} goes with a provider: write it into the username or password`);
  }
  const preset = presets[provider];
  const { username = '', password = '', sessionTtlMs: ttlMs } = options;
  if (options.url !== undefined) {
    return new Refusal('a provider has an address of its own: give no url, or host and port');
  }
  const given = { ...options, username: username || undefined };
  const missing = preset.needs.find((name) => given[name] === undefined);
  if (missing !== undefined) return new Refusal(`provider "${provider}" needs ${missing}`);
  if (password === '') return new Refusal(`provider "${provider}" needs password`);
  if (zone !== undefined && preset.zoned !== true) {
    return new Refusal(`provider "${provider}" has no zone`);
  }
  if (country !== undefined && country !== '{region}' && !plainCountry.test(country)) {
    return new Refusal(
      'country must be a word such as "us", or "{region}" for the region of each request',
    );
  }
  const fixed = country !== undefined && country !== '{region}';
  const spelled = fixed ? (preset.regions?.[country] ?? country.toLowerCase()) : country;
  const regions =
    country === '{region}' ? { ...preset.regions, ...options.regions } : options.regions;
  return {
    host: preset.host,
    port: preset.port,
    ...(fixed ? { region: country.toUpperCase() } : {}),
    ...others,
    ...preset.credentials({ username, password, zone, country: spelled, ttlMs }),
    ...(regions === undefined || Object.keys(regions).length === 0 ? {} : { regions }),
  };
}
