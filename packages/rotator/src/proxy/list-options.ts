import {
  anyString,
  checkOptions,
  func,
  integer,
  number,
  oneOf,
  strings,
  type Kind,
} from '@whirl/check';
import type { AddressDefaults } from './proxy-address.ts';
import { protocolOf, protocols, type ProxyProtocol } from './protocols.ts';
import type { Proxy, ProxyOptions } from './proxy.ts';
import type { RowOptions } from './record.ts';
import type { ColonFormat } from './split-line.ts';
import { parseTemplate, type Template } from './template.ts';

/**
 * How the entries of a list are written. The first two say what four parts between colons mean;
 * `records` reads every JSON object by the names that lists use, although it has a `url` or a `host`;
 * `proxychains` reads the lines after `[ProxyList]`. Anything else is a template: `host`, `port`, `user`,
 * `pass`, `protocol`, `region`, `id`, `url` and `*` (ignored) with the separators between, such as
 * `host:port:region` or `host,port,*`; a blank stands for any blanks.
 */
export type ProxyFormat = ColonFormat | 'records' | 'proxychains' | (string & {});

/**
 * How one proxy is read. An option that is unknown, of a wrong type or out of its bounds is refused with a TypeError or
 * RangeError that names it, and what is no proxy with an `InvalidProxyError`.
 */
export interface ParseProxyOptions {
  /** How the entries are written. Default: what has one reading is understood by itself. */
  readonly format?: ProxyFormat | undefined;
  /** The protocol of entries that name none. Default `http`. */
  readonly defaultProtocol?: ProxyProtocol | undefined;
  /** The port of strings without a scheme and of rows that name none. 1 to 65,535. Default: they are refused. */
  readonly defaultPort?: number | undefined;
}

/** How a list is read. A bad option is refused as in `ParseProxyOptions`. */
export interface ProxyListOptions extends ParseProxyOptions {
  /**
   * What an entry that is not a proxy does: `throw` (default) refuses the list, `skip` leaves the entry
   * out and counts it. A list of which nothing is left is refused in either case.
   */
  readonly onInvalid?: 'throw' | 'skip' | undefined;
  /** With `skip`: the share of entries beyond which the list is refused after all. 0 to 1, default 1. */
  readonly maxSkipped?: number | undefined;
  /** Columns of CSV and fields of foreign JSON whose values become tags. Default: none. */
  readonly tagColumns?: readonly string[] | undefined;
  /**
   * What `https` means in a column of CSV or foreign JSON: a proxy reached over TLS (`tls`, default), or an
   * HTTP proxy that tunnels HTTPS (`connect`).
   */
  readonly https?: 'tls' | 'connect' | undefined;
  /**
   * Replaces a JSON object that has a `url` or a `host` before it is read. An `InvalidProxyError` that it
   * throws refuses the entry. Default: the object is read as it is.
   */
  readonly fromObject?: ((entry: Readonly<Record<string, unknown>>) => ProxyOptions) | undefined;
  /**
   * Called with each proxy that was understood. Returns why the entry is refused all the same, such as "it must
   * not stand in 10.0.0.0/8", or undefined to take it. The string is shown in errors. Default: all are taken.
   */
  readonly check?: ((proxy: Proxy) => string | undefined) | undefined;
}

/** The options, decided. */
export interface ListRules extends AddressDefaults, RowOptions {
  readonly template: Template | undefined;
  readonly records: boolean;
  readonly proxychains: boolean;
  readonly skip: boolean;
  readonly maxSkipped: number;
  readonly fromObject: ProxyListOptions['fromObject'];
  readonly check: ProxyListOptions['check'];
}

const kinds: Readonly<Record<keyof ProxyListOptions, Kind>> = {
  format: anyString,
  defaultProtocol: oneOf(...protocols),
  defaultPort: integer(1, 65_535),
  onInvalid: oneOf('throw', 'skip'),
  maxSkipped: number(0, 1),
  tagColumns: strings,
  https: oneOf('tls', 'connect'),
  fromObject: func,
  check: func,
};

const colonFormats: readonly string[] = ['host:port:user:pass', 'user:pass:host:port'];

/** Decides the options. Throws a TypeError or a RangeError that names the option. */
export function resolveListOptions(options: ProxyListOptions): ListRules {
  checkOptions('', options, kinds);
  const { format, defaultProtocol, defaultPort, onInvalid, maxSkipped = 1 } = options;
  const colons = colonFormats.includes(format as string) ? (format as ColonFormat) : undefined;
  const named = format === 'records' || format === 'proxychains' || colons !== undefined;
  return {
    colons,
    template: format === undefined || named ? undefined : parseTemplate(format),
    records: format === 'records',
    proxychains: format === 'proxychains',
    defaultProtocol: defaultProtocol && protocolOf(defaultProtocol),
    defaultPort,
    skip: onInvalid === 'skip',
    maxSkipped,
    tagColumns: options.tagColumns ?? [],
    https: options.https ?? 'tls',
    fromObject: options.fromObject,
    check: options.check,
  };
}

export const defaultRules = resolveListOptions({});
