import net from 'node:net';
import tls from 'node:tls';
import { boolean, checkOptions, string, type Kind } from '@whirl/check';

/**
 * TLS settings, of the target (`tls`) or of https proxies (`proxyTls`). One that is unknown or of a wrong type is refused
 * with a TypeError that names it; PEM that Node cannot read fails with Node's own error.
 */
export interface TlsOptions {
  /** Authorities to trust instead of Node's own, in PEM. Default: Node's own. */
  readonly ca?: string | Buffer | readonly (string | Buffer)[] | undefined;
  /** A client certificate, in PEM; with `key`. Default: none. */
  readonly cert?: string | Buffer | undefined;
  /** The private key of `cert`, in PEM. Default: none. */
  readonly key?: string | Buffer | undefined;
  /** The name to ask for (SNI) and to verify. Not empty. Default: the host of the URL. */
  readonly servername?: string | undefined;
  /** `false` accepts any certificate. Default true. */
  readonly rejectUnauthorized?: boolean | undefined;
}

const isPem = (value: unknown) => typeof value === 'string' || Buffer.isBuffer(value);
const pem: Kind = { wanted: 'PEM, a string or a Buffer', isType: isPem };

const kinds: Readonly<Record<keyof TlsOptions, Kind>> = {
  ca: {
    wanted: 'PEM, a string, a Buffer or an array of them',
    isType: (value) => isPem(value) || (Array.isArray(value) && value.every(isPem)),
  },
  cert: pem,
  key: pem,
  servername: string,
  rejectUnauthorized: boolean,
};

/** Settings of a connection that are a secure context's. */
export const contextNames: ReadonlySet<string> = new Set([
  'ca',
  'cert',
  'key',
  'pfx',
  'passphrase',
  'crl',
  'ciphers',
  'sigalgs',
  'ecdhCurve',
  'dhparam',
  'honorCipherOrder',
  'minVersion',
  'maxVersion',
  'secureOptions',
  'secureProtocol',
  'secureContext',
]);

/**
 * Makes TLS clients that share one secure context: a context of its own costs each connection about
 * 90 KB. No session is resumed: a ticket that comes back through another proxy would tell the target
 * that both are one client.
 */
export class TlsClient {
  readonly #options: TlsOptions;
  #context: tls.SecureContext | undefined;

  /** Throws a TypeError that names the option (`tls.cert`, …) when it cannot be used. */
  constructor(name: 'tls' | 'proxyTls', options: TlsOptions = {}) {
    checkOptions(name, options, kinds);
    const { ca, cert, key } = options;
    if ((cert === undefined) !== (key === undefined)) {
      throw new TypeError(`${name}.cert and ${name}.key must be given together`);
    }
    this.#options = options;
    if (ca === undefined && cert === undefined) return;
    try {
      this.#context = tls.createSecureContext({
        ca: ca as string | Buffer | (string | Buffer)[] | undefined,
        cert,
        key,
      });
    } catch (error) {
      // OpenSSL's own words ("no start line") do not say which option they are about.
      const which = ca === undefined ? 'cert and key' : cert === undefined ? 'ca' : 'ca, cert, key';
      throw new TypeError(`${name}: ${which} must be PEM: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }

  /**
   * Begins a handshake: over `socket` if there is one, else over a connection that it opens.
   * An IP address is verified, but never sent as a server name (RFC 6066, section 3).
   */
  connect(to: {
    host: string;
    port: number;
    socket?: net.Socket | undefined;
    servername?: string | undefined;
    /** Protocols to offer (ALPN). Default `['http/1.1']`. */
    alpn?: readonly string[] | undefined;
    /** More settings, which go before those of this client. */
    options?: tls.ConnectionOptions | undefined;
  }): tls.TLSSocket {
    const name = to.servername || (net.isIP(to.host) === 0 ? to.host : undefined);
    // A server name has no trailing dot (RFC 6066, section 3).
    const servername = this.#options.servername ?? name?.replace(/\.$/, '');
    return tls.connect({
      rejectUnauthorized: this.#options.rejectUnauthorized ?? true,
      ...this.#contextFor(to.options),
      ...to.options,
      host: to.host,
      port: to.port,
      ...(to.socket === undefined ? {} : { socket: to.socket }),
      ...(servername === undefined ? {} : { servername }),
      ALPNProtocols: [...(to.alpn ?? ['http/1.1'])],
    });
  }
  /** The context that all share, unless the options of one connection ask for one of their own. */
  #contextFor(options: tls.ConnectionOptions = {}): tls.ConnectionOptions {
    if (Object.keys(options).some((name) => contextNames.has(name))) {
      const { ca, cert, key } = this.#options;
      return { ca, cert, key } as tls.ConnectionOptions;
    }
    return { secureContext: (this.#context ??= tls.createSecureContext()) };
  }
}
