import { spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { bodyOf, endToEnd, withoutErrorPage, type Outcome } from './outcome.ts';

export interface CurlRequest {
  readonly url: string;
  readonly method?: string;
  readonly headers?: readonly string[];
  readonly body?: Buffer | AsyncIterable<Buffer>;
}

export interface CurlProxy {
  /** Without credentials. */
  readonly url: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** CONNECT for http targets too. */
  readonly tunnel: boolean;
}

interface Written {
  readonly exitcode: number;
  readonly errormsg: string | null;
  readonly http_code: number;
  readonly http_connect: number;
}

const unknownName = 6;
const couldNotReachProxy = 7;
const proxyHandshakeFailed = 97;

/** A request by curl through a proxy. A bound keeps what hangs from holding the tests up. */
export async function curl(
  request: CurlRequest,
  proxy: CurlProxy,
  caFile: string,
  { maxSeconds = 30 } = {},
): Promise<Outcome> {
  const { url, method = 'GET', headers = [], body } = request;
  const args = [
    ...['--silent', '--http1.1', '--globoff', '--max-time', String(maxSeconds), '--noproxy', ''],
    ...['--cacert', caFile, '--proxy-cacert', caFile],
    ...['--write-out', '%{stderr}%{json}\n%{header_json}', '--header', 'Expect:'],
    ...['--proxy', proxy.url],
  ];
  if (proxy.username !== undefined && proxy.username !== '') {
    args.push('--proxy-user', `${proxy.username}:${proxy.password ?? ''}`);
  }
  if (proxy.tunnel && proxy.url.startsWith('http')) args.push('--proxytunnel');
  if (method === 'HEAD') args.push('--head', '--output', '/dev/null');
  else args.push('--request', method);
  for (const header of headers) args.push('--header', header);
  if (Buffer.isBuffer(body)) args.push('--data-binary', '@-');
  else if (body !== undefined) args.push('--upload-file', '-');
  const child = spawn('curl', [...args, url], { stdio: ['pipe', 'pipe', 'pipe'] });
  const input = body === undefined ? [] : Buffer.isBuffer(body) ? [body] : body;
  // A proxy that refuses the request makes curl stop reading: its exit code tells.
  const sent = pipeline(Readable.from(input), child.stdin).catch(() => {});
  const [received, told] = await Promise.all([buffer(child.stdout), buffer(child.stderr), sent]);
  const [json = '', ...rest] = told.toString().split('\n');
  return understand(JSON.parse(json) as Written, rest.join('\n'), received);
}

function understand(written: Written, headers: string, body: Buffer): Outcome {
  const { exitcode, errormsg, http_code: status, http_connect: connect } = written;
  const message = errormsg ?? '';
  if (exitcode === proxyHandshakeFailed) {
    if (/resolve/i.test(message)) return { failed: 'dns' };
    if (/rejected by the SOCKS5|authentication/i.test(message)) {
      return { refusedBy: 'authentication' };
    }
    const reply = /\((\d+)\)/.exec(message)?.[1];
    return { refusedBy: 'socks', reply: reply === undefined ? undefined : Number(reply) };
  }
  if (connect === 407 || connect === 401) return { refusedBy: 'authentication', status: connect };
  if (status === 407 && exitcode === 0) return { refusedBy: 'authentication', status };
  if (connect >= 300) return { refusedBy: 'connect', status: connect };
  if (exitcode === unknownName) return { failed: 'dns' };
  if (exitcode === couldNotReachProxy) return { failed: 'tcp' };
  if (status > 0 && exitcode === 0) {
    const all = headers.trim() === '' ? {} : (JSON.parse(headers) as Record<string, string[]>);
    const last = Object.entries(all).map(([name, values]) => [name, values.at(-1)]);
    return withoutErrorPage({
      status,
      headers: endToEnd(Object.fromEntries(last)),
      body: bodyOf(body),
    });
  }
  return { failed: `curl ${exitcode}` };
}
