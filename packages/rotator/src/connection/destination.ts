import type { ConnectionOptions } from 'node:tls';
import type { AccessRules } from '../access-rules.ts';
import type { ProxyHeaders } from '../proxy/proxy-headers.ts';
import type { TlsClient } from './tls-client.ts';

/** What a connection through a proxy leads to. */
export interface Destination {
  /** A name or an address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** Speak TLS with it. */
  readonly secure: boolean;
  /** The name to ask for and to verify, where it is not `host`. */
  readonly servername?: string | undefined;
  /** Protocols to offer (ALPN). Default `['http/1.1']`. */
  readonly alpn?: readonly string[] | undefined;
  /** The target may speak first. Default false: bytes right behind the response to CONNECT are the proxy's. */
  readonly greets?: boolean | undefined;
  /** More TLS settings, which replace those of the connector. */
  readonly tls?: ConnectionOptions | undefined;
}

export interface ConnectorOptions {
  /** Which addresses the names of proxies and targets may lead to. Undefined: all. */
  readonly access?: {
    readonly proxies: AccessRules | undefined;
    readonly targets: AccessRules | undefined;
  };
  /** With targets. */
  readonly tls: TlsClient;
  /** With https proxies. */
  readonly proxyTls: TlsClient;
  /** For http and https proxies, beside their own. */
  readonly proxyHeaders?: ProxyHeaders | undefined;
  /** A head of more bytes is refused. */
  readonly maxHeaderSize: number;
  /** The wall clock, for the dates of Retry-After. */
  readonly wallNow: () => number;
  /** Milliseconds that never step back. */
  readonly now: () => number;
}
