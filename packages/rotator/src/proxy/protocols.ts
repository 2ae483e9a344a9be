export const protocols = ['http', 'https', 'socks4', 'socks4a', 'socks5', 'socks5h'] as const;

/**
 * How to speak with a proxy. `socks4` and `socks5` resolve the target's name on this machine,
 * `socks4a` and `socks5h` leave it to the proxy, as the others do.
 */
export type ProxyProtocol = (typeof protocols)[number];

export const defaultPorts: Readonly<Record<ProxyProtocol, number>> = {
  http: 80,
  https: 443,
  socks4: 1080,
  socks4a: 1080,
  socks5: 1080,
  socks5h: 1080,
};

const shareLinks = new Set([
  ...['ss', 'ssr', 'vmess', 'vless', 'trojan', 'hysteria', 'hysteria2', 'hy', 'hy2', 'tuic', 'wg'],
  ...['wireguard', 'tg', 'mtproto', 'snell', 'juicity', 'anytls', 'brook', 'mieru', 'naive'],
]);

/** Schemes that whirl does not speak, but whose names may be shown: they are words, never secrets. */
const foreign: Readonly<Record<string, string>> = {
  socks:
    'socks:// is SOCKS4 in some programs and SOCKS5 in others: write socks4:// or socks5:// instead',
  ssl: 'ssl:// is a proxy reached over TLS in some programs and an HTTP proxy that tunnels HTTPS in others: write https:// or http:// instead',
  tls: 'tls:// is no scheme of proxies: write https:// for a proxy reached over TLS',
  quic: 'proxies over QUIC are not supported: its scheme must be one of ' + protocols.join(', '),
};

const shownSchemes = new Set<string>([
  ...protocols,
  ...shareLinks,
  ...Object.keys(foreign),
  ...['ftp', 'ssh', 'ws', 'wss', 'file', 'direct'],
]);

export function protocolOf(scheme: string): ProxyProtocol | undefined {
  return protocols.find((each) => each === scheme);
}

/** Whether a scheme, in lower case, may be repeated in a message. */
export function isKnownScheme(scheme: string): boolean {
  return shownSchemes.has(scheme);
}

/** Why a word, in lower case, is none of the protocols; undefined when it is no name of a protocol at all. */
export function whyForeign(scheme: string): string | undefined {
  if (shareLinks.has(scheme)) {
    return `it is a share link (${scheme}), no HTTP or SOCKS proxy: run its client and list the address on which that listens`;
  }
  return Object.hasOwn(foreign, scheme) ? foreign[scheme] : undefined;
}

export function whyNotScheme(scheme: string): string {
  return whyForeign(scheme) ?? `its scheme must be one of ${protocols.join(', ')}`;
}
