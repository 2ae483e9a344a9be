import { count, paint, type Output } from '../terminal/terminal.ts';

export interface Greeted {
  /** Where the API and the page are. */
  readonly url: string | undefined;
  /** Whether there is a page. */
  readonly dashboard: boolean;
  /** Where the gateway listens, `host:port`. */
  readonly gateway: string | undefined;
  /** The name of a client of the gateway, where it wants one. */
  readonly client: string | undefined;
  /** Whether the API wants a token. */
  readonly token: boolean;
  /** In the pool. */
  readonly proxies: number;
}

/** An address that this machine can ask for, in place of one that stands for all of its own. */
const reachable = (authority: string) =>
  authority.replace(/^0\.0\.0\.0(?=:)/, '127.0.0.1').replace(/^\[::\](?=:)/, '[::1]');

/** One word of a command line. */
const quoted = (word: string) =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

/** What there is, and three lines to paste. Passwords are left to the reader. */
export function greeting(about: Greeted, stream: Output): string {
  const { url, dashboard, gateway, proxies } = about;
  const parts = [
    `${count(proxies)} ${proxies === 1 ? 'proxy' : 'proxies'}`,
    ...(gateway === undefined ? [] : [`gateway at ${gateway}`]),
    ...(url === undefined ? [] : [`API at ${url}/docs`]),
    ...(url === undefined || !dashboard ? [] : [`page at ${url}`]),
  ];
  const lines = gateway === undefined ? requests(about) : clients(reachable(gateway), about);
  const head = paint(stream, 'bold', `whirl: ${parts.join(', ')}`);
  return `${head}\n\n${lines.map((line) => `  ${line}\n`).join('')}\n`;
}

/** How clients of the gateway are told of it. */
function clients(authority: string, { client }: Greeted): string[] {
  const server = `http://${authority}`;
  if (client === undefined) {
    return [
      `curl -x ${server} https://example.com/`,
      `export HTTPS_PROXY=${server}`,
      `chromium.launch({ proxy: { server: '${server}' } })`,
    ];
  }
  const name = encodeURIComponent(client).replaceAll("'", '%27');
  const username = `'${client.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  return [
    // curl asks for the password.
    `curl -x ${server} -U ${quoted(client)} https://example.com/`,
    `export HTTPS_PROXY=http://${name}:PASSWORD@${authority}`,
    `chromium.launch({ proxy: { server: '${server}', username: ${username}, password: 'PASSWORD' } })`,
  ];
}

/** How the API is asked, where there is no gateway. */
function requests({ url = '', token }: Greeted): string[] {
  const base = url.replace(/(?<=^https?:\/\/)[^/]+/, reachable);
  const authorization = token ? ` -H "authorization: Bearer $TOKEN"` : '';
  const json = `-H 'content-type: application/json'`;
  return [
    `curl ${base}/api/v1/request${authorization} ${json} -d '{"url":"https://example.com/"}'`,
    `curl ${base}/api/v1/proxies${authorization} ${json} -d '{"url":"http://proxy.example.com:8080"}'`,
    `curl ${base}/metrics${authorization}`,
  ];
}
