import type net from 'node:net';

/** What is kept of the response by which a proxy refuses CONNECT. */
const maxHeaderBytes = 16_384;
const maxBodyBytes = 4096;

/** How long a failover is held up for a body that does not come, in milliseconds. */
const bodyWaitMs = 100;

export type ConnectHeaders = Readonly<Record<string, string | readonly string[]>>;

/** The fields of a head, whose first line is the status line; names in lower case, repeated ones as a list. */
export function fieldsIn(head: string): ConnectHeaders {
  const fields: Record<string, string | string[]> = Object.create(null) as never;
  for (const line of head.slice(0, maxHeaderBytes).split(/\r?\n/).slice(1)) {
    const colon = line.indexOf(':');
    if (colon <= 0) continue;
    const name = line.slice(0, colon).trim().toLowerCase();
    const value = line.slice(colon + 1).trim();
    const before = fields[name];
    if (before === undefined) fields[name] = value;
    else if (typeof before === 'string') fields[name] = [before, value];
    else before.push(value);
  }
  return { ...fields };
}

/** All the values of a field. */
export function valuesOf(fields: ConnectHeaders, name: string): readonly string[] {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (value === undefined) return [];
  return typeof value === 'string' ? [value] : value;
}

/**
 * Reads the first 4 KiB of the body that follows a refusal: up to its length, to the end of the
 * connection, or as far as it has come after 100 ms. Calls back once; the returned function stops it.
 */
export function readRefusalBody(
  socket: net.Socket,
  fields: ConnectHeaders,
  done: (body: string) => void,
): () => void {
  const chunked = /\bchunked\b/i.test(valuesOf(fields, 'transfer-encoding').join());
  const [length] = valuesOf(fields, 'content-length');
  const wanted = chunked ? maxBodyBytes : Math.min(Number(length ?? maxBodyBytes), maxBodyBytes);
  let body: Buffer = Buffer.alloc(0);
  const end = () => {
    stop();
    const text = body.subarray(0, maxBodyBytes).toString('utf8');
    done(chunked ? withoutChunks(text) : text);
  };
  const onData = (chunk: Buffer) => {
    body = Buffer.concat([body, chunk]);
    if (body.length >= wanted || (chunked && body.includes('\r\n0\r\n'))) end();
  };
  const timer = setTimeout(end, bodyWaitMs);
  const stop = () => {
    clearTimeout(timer);
    socket.off('data', onData).off('end', end).off('close', end);
  };
  socket.on('data', onData).on('end', end).on('close', end);
  // A length that is no number is no promise; of 0 bytes all are there.
  if (wanted === 0) end();
  else socket.resume();
  return stop;
}

/** The content of a chunked body, of which the end may be missing. */
function withoutChunks(text: string): string {
  let content = '';
  for (let at = 0; at < text.length;) {
    const line = text.indexOf('\r\n', at);
    const size = Number.parseInt(text.slice(at, line === -1 ? at : line), 16);
    if (line === -1 || !(size > 0)) break;
    content += text.slice(line + 2, line + 2 + size);
    at = line + 2 + size + 2;
  }
  return content;
}

/**
 * The schemes of the challenges in Proxy-Authenticate (RFC 9110, section 11.3), each once: a part
 * between commas is a challenge when it begins with a token that no `=` follows, else a parameter.
 */
export function schemesIn(values: readonly string[]): string[] {
  const schemes = new Map<string, string>();
  for (const part of values.flatMap((value) => partsOf(value.slice(0, maxHeaderBytes)))) {
    const [, token, rest] = /^([!#$%&'*+\-.^_`|~\w]+)(.*)$/s.exec(part.trim()) ?? [];
    if (token === undefined || rest?.trimStart().startsWith('=')) continue;
    if (!schemes.has(token.toLowerCase())) schemes.set(token.toLowerCase(), token);
  }
  return [...schemes.values()];
}

/** What stands between the commas that are not inside of a quoted string. */
function partsOf(value: string): string[] {
  const parts: string[] = [];
  let from = 0;
  let quoted = false;
  for (let i = 0; i < value.length; i++) {
    const character = value[i];
    if (quoted && character === '\\') i++;
    else if (character === '"') quoted = !quoted;
    else if (character === ',' && !quoted) {
      parts.push(value.slice(from, i));
      from = i + 1;
    }
  }
  parts.push(value.slice(from));
  return parts;
}

/** What is wrong with the credentials, as far as the challenges tell. */
export function credentialProblem(schemes: readonly string[], given: boolean): string {
  const names = schemes.map((scheme) => scheme.toLowerCase());
  const list = schemes.join(', ');
  if (schemes.length === 0)
    return given ? 'it refused the credentials' : 'no credentials are given';
  if (names.includes('basic')) {
    return given
      ? `it refused the credentials (it asks for ${list})`
      : `it asks for ${list}, and no credentials are given`;
  }
  if (names.includes('bearer')) return `it asks for ${list}: a token can be given in proxyHeaders`;
  return `it asks for ${list}, and whirl speaks Basic only`;
}
