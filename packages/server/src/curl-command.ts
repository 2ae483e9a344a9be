export interface CurlCommand {
  /** Where the gateway listens. */
  readonly host: string;
  readonly port: number;
  /** Whether a client needs a name and a password. */
  readonly needsPassword: boolean;
  /** The URL to get. Default: a well-known page. */
  readonly target?: string | undefined;
}

/** How a person on this machine reaches an address that stands for all of them. */
const reached: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

/** A command to paste: one request through the gateway. */
export function curlCommand({ host, port, needsPassword, target }: CurlCommand): string {
  const name = reached[host] ?? host;
  const address = name.includes(':') ? `[${name}]` : name;
  const user = needsPassword ? '-U name:password ' : '';
  return `curl -x http://${address}:${port} ${user}${target ?? 'http://example.com/'}`;
}
