import { parseAuthority, type Authority } from './authority.ts';
import { Refusal } from './refusal.ts';

/** How the body of a request is delimited. */
export type Framing =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'chunked' };

interface CommonHead {
  /** Whether it is HTTP/1.1; else it is HTTP/1.0. */
  readonly modern: boolean;
  /** Names and values in turns, as they came. */
  readonly fields: readonly string[];
}

/** A request for a tunnel. */
export interface ConnectHead extends CommonHead {
  readonly kind: 'connect';
  readonly to: Authority;
}

/** A request in absolute form, for a proxy to send on. */
export interface AbsoluteHead extends CommonHead {
  readonly kind: 'absolute';
  readonly method: string;
  readonly url: URL;
  /** The part of the request target behind the authority, as it came. */
  readonly path: string;
  readonly framing: Framing;
}

export type RequestHead = ConnectHead | AbsoluteHead;

const requestLine = /^([A-Z][!#$%&'*+.^_`|~0-9A-Za-z-]*) ([\x21-\x7e]+) HTTP\/(\d)\.(\d)$/;
const field = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*((?:[^ \t](?:.*[^ \t])?)?)[ \t]*$/;
const digits = /^\d{1,15}$/;
const absolute = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)(.*)$/i;
const asterisk = 'OPTIONS';

/**
 * Reads a head that `HeadReader` has collected, strictly: what two parsers could take for two different
 * requests is refused (RFC 9112, sections 2.2, 3.2, 5 and 6). Throws a `Refusal`.
 */
export function parseRequestHead(text: string): RequestHead {
  const lines = text.split('\r\n');
  const [first = ''] = lines;
  const [, method = '', target = '', major, minor] = requestLine.exec(first) ?? refuseLine(first);
  if (major !== '1' || (minor !== '0' && minor !== '1')) {
    throw new Refusal(505, `HTTP/${major}.${minor} is not spoken here: use HTTP/1.1`);
  }
  const modern = minor === '1';
  const fields = parseFields(lines);
  if (method === 'CONNECT') {
    checkHosts(fields);
    if (has(fields, 'content-length') || has(fields, 'transfer-encoding')) {
      throw new Refusal(400, 'CONNECT has no body: no Content-Length and no Transfer-Encoding');
    }
    return { kind: 'connect', modern, fields, to: parseAuthority(target) };
  }
  const { url, path } = parseTarget(method, target);
  if (checkHosts(fields) === 0 && modern) {
    throw new Refusal(400, 'a request in HTTP/1.1 must have a Host field');
  }
  return {
    kind: 'absolute',
    modern,
    fields,
    method,
    url,
    path,
    framing: framingOf(fields, modern),
  };
}

/** Whether a flat list has a field; `name` in lower case. */
export function has(fields: readonly string[], name: string): boolean {
  return valueOf(fields, name) !== undefined;
}

/** The first value of a field; `name` in lower case. */
export function valueOf(fields: readonly string[], name: string): string | undefined {
  for (let i = 0; i < fields.length; i += 2) {
    const given = fields[i] as string;
    if (given.length === name.length && given.toLowerCase() === name) return fields[i + 1];
  }
  return undefined;
}

/** Every value of a field, in their order; `name` in lower case. */
export function valuesOf(fields: readonly string[], name: string): string[] {
  const values: string[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    if ((fields[i] as string).toLowerCase() === name) values.push(fields[i + 1] as string);
  }
  return values;
}

/** The members of a field that is a list, in lower case. */
export function listOf(fields: readonly string[], name: string): string[] {
  return valuesOf(fields, name)
    .flatMap((value) => value.split(','))
    .map((each) => each.trim().toLowerCase())
    .filter((each) => each !== '');
}

function refuseLine(line: string): never {
  const version = / HTTP\/[\d.]*$/.test(line);
  throw new Refusal(
    400,
    version
      ? 'the request line must be a method, a space, a target and a space, without other characters'
      : 'the request line must end with HTTP/1.1',
  );
}

/** The fields behind the first line. Names are tokens, directly before their colon (RFC 9112, section 5.1). */
export function parseFields(lines: readonly string[]): string[] {
  const fields: string[] = [];
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i] as string;
    const parts = field.exec(line);
    if (parts === null) {
      throw new Refusal(
        400,
        /^[ \t]/.test(line)
          ? 'a field is continued on a second line'
          : 'a field must be a name, a colon directly behind it, and a value',
      );
    }
    fields.push(parts[1] as string, parts[2] as string);
  }
  return fields;
}

function checkHosts(fields: readonly string[]): number {
  const hosts = valuesOf(fields, 'host').length;
  if (hosts > 1) throw new Refusal(400, 'there is more than one Host field');
  return hosts;
}

function parseTarget(method: string, target: string): { url: URL; path: string } {
  if (target.startsWith('/') || target === '*') {
    throw new Refusal(
      400,
      'this is a proxy, not a web server: give its address to a client as its proxy, so that it asks for the whole URL',
    );
  }
  const [, scheme = '', authority = '', path = ''] = absolute.exec(target) ?? [];
  if (scheme.toLowerCase() === 'https') {
    throw new Refusal(400, 'an https:// URL needs a tunnel: ask for it with CONNECT');
  }
  if (scheme.toLowerCase() !== 'http') {
    throw new Refusal(400, 'the request target must be a URL that begins with http://');
  }
  if (authority.includes('@')) {
    throw new Refusal(400, 'the URL must not hold credentials: send an Authorization field');
  }
  if (path.includes('#')) throw new Refusal(400, 'the request target must not hold a fragment');
  const { host, port } = parseAuthority(authority, 80);
  const bracketed = host.includes(':') ? `[${host}]` : host;
  const url = URL.canParse(`http://${bracketed}:${port}/`)
    ? new URL(`http://${bracketed}:${port}/`)
    : undefined;
  if (url === undefined) throw new Refusal(400, 'the host of the URL is not valid');
  // RFC 9112, section 3.2.4: an empty path of OPTIONS is the asterisk form.
  const whole = path === '' ? (method === asterisk ? '*' : '/') : path;
  return { url, path: whole.startsWith('?') ? `/${whole}` : whole };
}

function framingOf(fields: readonly string[], modern: boolean): Framing {
  const lengths = valuesOf(fields, 'content-length');
  const encodings = valuesOf(fields, 'transfer-encoding');
  if (lengths.length > 1) throw new Refusal(400, 'there is more than one Content-Length');
  const [length] = lengths;
  if (encodings.length > 0) {
    if (length !== undefined) {
      throw new Refusal(400, 'there is a Content-Length beside a Transfer-Encoding');
    }
    if (!modern) throw new Refusal(400, 'HTTP/1.0 has no Transfer-Encoding');
    if (encodings.length > 1 || encodings[0]?.toLowerCase() !== 'chunked') {
      throw new Refusal(501, 'the only Transfer-Encoding that is understood is "chunked"');
    }
    return { kind: 'chunked' };
  }
  if (length === undefined) return { kind: 'none' };
  if (!digits.test(length)) throw new Refusal(400, 'Content-Length must be a number of bytes');
  const bytes = Number(length);
  return bytes === 0 ? { kind: 'none' } : { kind: 'length', bytes };
}
