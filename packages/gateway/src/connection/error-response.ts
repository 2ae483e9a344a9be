import { STATUS_CODES } from 'node:http';

export interface ReplyOptions {
  /** Further fields, names and values in turns. */
  readonly fields?: readonly string[];
  /** A machine-readable word for the body. */
  readonly error: string;
  readonly message: string;
  /** Proxies that were tried. */
  readonly attempts?: number;
  /** The response is to HEAD: its body is left out. */
  readonly head?: boolean;
}

/** A response of the gateway's own. The connection closes behind it. */
export function encodeError(statusCode: number, options: ReplyOptions): string {
  const { fields = [], error, message, attempts = 0, head = false } = options;
  const body = `${JSON.stringify({ error, message, attempts })}\n`;
  let lines = '';
  for (let i = 0; i < fields.length; i += 2) lines += `${fields[i]}: ${fields[i + 1]}\r\n`;
  return (
    `HTTP/1.1 ${statusCode} ${STATUS_CODES[statusCode] ?? 'Error'}\r\n` +
    lines +
    `Content-Type: application/json; charset=utf-8\r\n` +
    `Content-Length: ${Buffer.byteLength(body)}\r\n` +
    `Connection: close\r\n\r\n` +
    (head ? '' : body)
  );
}

/** The word for each status that the gateway gives by itself. */
const words: Readonly<Record<number, string>> = {
  400: 'bad_request',
  403: 'target_refused',
  407: 'credentials_required',
  408: 'head_timeout',
  417: 'expectation_failed',
  429: 'too_many_connections',
  431: 'head_too_large',
  501: 'not_implemented',
  502: 'tunnel_failed',
  503: 'no_proxy_available',
  504: 'tunnel_timeout',
  505: 'version_not_supported',
  508: 'loop_detected',
};

export function wordFor(statusCode: number): string {
  return words[statusCode] ?? 'error';
}
