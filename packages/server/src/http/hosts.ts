import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

/** Whether an address to bind can be reached from this machine alone. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/** The name in a Host header, without its port, lower case. */
export function hostnameOf(header: string): string | undefined {
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/i.exec(header);
  return match?.[1]
    ?.toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '');
}

const absoluteForm = /^https?:\/\/([^/?#]*)(.*)$/i;

/**
 * The target of a request in origin form. One in absolute form names its host there, which takes the place of the Host
 * field (RFC 9112, section 3.2.2): everything that looks at Host looks at that.
 */
export function toOriginForm(request: IncomingMessage): string {
  const { url = '' } = request;
  const [, authority, path = ''] = absoluteForm.exec(url) ?? [];
  if (authority === undefined) return url;
  request.headers.host = authority;
  return path.startsWith('/') ? path : `/${path}`;
}

/**
 * Whether a request's Host is a name of this server. A page of another site can make a
 * browser send requests to a loopback address under a name of its own (DNS rebinding), but never
 * under an IP address or `localhost`. So names must be known; addresses are fine, though on a
 * loopback server only loopback ones.
 */
export function allowsHost(
  header: string | undefined,
  { host, allowedHosts }: { readonly host: string; readonly allowedHosts: readonly string[] },
): boolean {
  const name = header === undefined ? undefined : hostnameOf(header);
  if (name === undefined) return false;
  if (isLoopback(name) || name.endsWith('.localhost')) return true;
  if (name === host.toLowerCase() || allowedHosts.includes(name)) return true;
  return isIP(name) !== 0 && !isLoopback(host);
}
