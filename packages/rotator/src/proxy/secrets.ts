import { Exit } from './exit.ts';
import type { Proxy } from './proxy.ts';
import { headersFor, type ProxyHeaders } from './proxy-headers.ts';

/** Headers whose values may let others in. */
const secretName = /auth|cookie|credential|key|pass|secret|session|token/i;

/** The headers of a message that carry credentials, as a line of its text. */
const secretLines = /^((?:proxy-)?authorization|(?:set-)?cookie)[ \t]*:[^\r\n]*/gim;

/** What must not be shown of a proxy: its password, the session of an exit, and what is sent in place of it, longest first. */
function secretsOf(proxy: Proxy, common: ProxyHeaders | undefined): string[] {
  const secrets = new Set<string>();
  const { password } = proxy;
  if (password !== undefined) secrets.add(password).add(encodeURIComponent(password));
  if (proxy instanceof Exit) for (const secret of proxy.secrets) secrets.add(secret);
  const headers = headersFor(proxy, common);
  for (let i = 0; i < headers.length; i += 2) {
    if (!secretName.test(headers[i] as string)) continue;
    const value = headers[i + 1] as string;
    secrets.add(value);
    // `Bearer token`: the token alone is as good.
    const space = value.indexOf(' ');
    if (space !== -1) secrets.add(value.slice(space + 1).trim());
  }
  secrets.delete('');
  return [...secrets].toSorted((a, b) => b.length - a.length);
}

/** Text that came from a proxy or a target, without the secrets that it may repeat. */
export function withoutSecrets(
  text: string,
  proxy: Proxy,
  common: ProxyHeaders | undefined,
): string {
  let clean = text;
  for (const secret of secretsOf(proxy, common)) clean = clean.replaceAll(secret, '***');
  return clean.replace(secretLines, '$1: ***');
}

/** undici's `HTTPParserError` shows what it could not parse: some of it is kept. */
const maxDataLength = 1024;

/** Takes the secrets out of what an error from below quotes of a message. */
export function scrub(error: Error, proxy: Proxy, common: ProxyHeaders | undefined): void {
  const quoting = error as Error & { data?: unknown };
  if (typeof quoting.data !== 'string') return;
  quoting.data = withoutSecrets(quoting.data, proxy, common).slice(0, maxDataLength);
}
