import { isIPv6 } from 'node:net';
import { trimEdges } from './clean-line.ts';
import { whyNoExits } from './exit-template.ts';
import {
  defaultRules,
  resolveListOptions,
  type ListRules,
  type ParseProxyOptions,
} from './list-options.ts';
import { markPlaceholders, withoutForeignMarks } from './placeholders.ts';
import { withPreset } from './providers.ts';
import { addressOf, hasScheme, parseAddress, type ProxyAddress } from './proxy-address.ts';
import { whyNoAttributes, whyNoOptions } from './proxy-options.ts';
import type { ProxyProtocol } from './protocols.ts';
import {
  protocolIn,
  readRow,
  regionOf,
  type Row,
  type RowFields,
  type RowNames,
} from './record.ts';
import { orThrow, Refusal, refuse } from './refusal.ts';
import { readTemplate, type Template } from './template.ts';
import { ParsedProxy, type Proxy, type ProxyInput, type ProxyOptions } from './proxy.ts';

function inBrackets(host: string): string {
  return host.includes(':') && isIPv6(host) ? `[${host}]` : host;
}

function addressIn(options: ProxyOptions, rules: ListRules): ProxyAddress | Refusal {
  const { url, host, port } = options;
  const username = markedIn(givenIn(options.username));
  const password = markedIn(givenIn(options.password));
  const protocol = options.protocol ?? rules.defaultProtocol ?? 'http';
  if (host !== undefined) {
    const bracketed = inBrackets(host);
    const number = port === undefined ? undefined : String(port);
    const place = number === undefined ? bracketed : `${bracketed}:${number}`;
    const written = { host: bracketed, port: number, username, password };
    return addressOf(protocol, written, false, place);
  }
  const address = parseAddress(withoutForeignMarks(url as string), rules);
  return withCredentials(address, username, password);
}

function givenIn(text: string | undefined): string | undefined {
  return text === undefined ? undefined : withoutForeignMarks(text);
}

function markedIn(text: string | undefined): string | undefined {
  return text === undefined ? undefined : markPlaceholders(text);
}

/** Finishes a proxy; its options were checked but for what goes with placeholders alone. */
function proxyOf(address: ProxyAddress, options: ProxyOptions): Proxy | Refusal {
  const why = whyNoExits(options, address.placeholders);
  return why === undefined ? new ParsedProxy(address, options) : new Refusal(why);
}

/** The credentials that stand beside a URL. */
function withCredentials(
  address: ProxyAddress | Refusal,
  username: string | undefined,
  password: string | undefined,
): ProxyAddress | Refusal {
  if (address instanceof Refusal || (username === undefined && password === undefined)) {
    return address;
  }
  if (address.username !== undefined || address.password !== undefined) {
    return new Refusal('the credentials are given twice: in the url and beside it');
  }
  const { protocol, host, port } = address;
  const written = { host, port: String(port), username, password };
  return addressOf(protocol, written, false, `${host}:${port}`);
}

/** Finishes what a row or a template says. */
function fromFields(
  fields: RowFields & { readonly id?: string | undefined },
  rules: ListRules,
): Proxy | Refusal {
  const { url, host = '', port, region, tags, id } = fields;
  const username = markedIn(fields.username);
  const password = markedIn(fields.password);
  const defaultProtocol = fields.protocol ?? rules.defaultProtocol;
  let address: ProxyAddress | Refusal;
  if (url === undefined) {
    const bracketed = inBrackets(host);
    const { defaultPort } = rules;
    const written = {
      host: bracketed,
      port: port ?? (defaultPort === undefined ? undefined : String(defaultPort)),
      username,
      password,
    };
    const place = `${bracketed}:${written.port ?? ''}`;
    address = addressOf(defaultProtocol ?? 'http', written, true, place);
  } else {
    const { defaultPort } = rules;
    const parsed = parseAddress(url, { defaultProtocol, defaultPort });
    const beside = !(parsed instanceof Refusal) && parsed.username !== undefined;
    address = beside ? parsed : withCredentials(parsed, username, password);
  }
  if (address instanceof Refusal) return address;
  const options = { region, tags, id };
  return whyNoAttributes(options) ?? proxyOf(address, options);
}

/** A line that is read by a template alone. */
function fromTemplate(template: Template, text: string, rules: ListRules): Proxy | Refusal {
  const line = markPlaceholders(trimEdges(text));
  const fields = readTemplate(template, line);
  if (fields === undefined)
    return refuse(line, `it does not follow the template ${template.source}`);
  const { host, port, user, pass, region, url, id } = fields;
  let protocol: ProxyProtocol | undefined;
  if (fields.protocol !== undefined && fields.protocol !== '') {
    const found = protocolIn(fields.protocol, rules.https);
    if (typeof found !== 'string') {
      return refuse(line, found?.why ?? 'its protocol is none that whirl knows');
    }
    protocol = found;
  }
  return fromFields(
    {
      ...{
        url,
        host,
        port: port === '' ? undefined : port,
        protocol,
        username: user,
        password: pass,
      },
      ...{ region: regionOf(region), id: id === '' ? undefined : id },
    },
    rules,
  );
}

/** Understands a proxy in a text. */
export function readText(given: string, rules: ListRules): Proxy | Refusal {
  const text = withoutForeignMarks(given);
  const { template } = rules;
  if (template !== undefined && (template.names.includes('url') || !hasScheme(text))) {
    return fromTemplate(template, text, rules);
  }
  const address = parseAddress(text, rules);
  return address instanceof Refusal ? address : proxyOf(address, {});
}

/** Understands a proxy in a row of a table, or in an object of another program. */
export function readRecord(row: Row, rules: ListRules, names?: RowNames): Proxy | Refusal {
  const fields = readRow(row, rules, names);
  if (typeof fields === 'string') return new Refusal(fields);
  const { url, username, password } = fields;
  const given = { url: givenIn(url), username: givenIn(username), password: givenIn(password) };
  return fromFields({ ...fields, ...given }, rules);
}

/** Understands what a caller gives for a proxy. */
export function readInput(input: ProxyInput, rules: ListRules): Proxy | Refusal {
  if (typeof input === 'string') return readText(input, rules);
  if (input instanceof ParsedProxy) return input;
  if (input === null || typeof input !== 'object' || Array.isArray(input)) {
    return new Refusal('a proxy must be a text or an object with a url or a host');
  }
  const given = input as ProxyOptions;
  const refused = whyNoOptions(given);
  if (refused !== undefined) return refused;
  const options = withPreset(given);
  if (options instanceof Refusal) return options;
  const address = addressIn(options, rules);
  if (address instanceof Refusal) return address;
  if (given.proxyHeaders !== undefined && address.protocol.startsWith('socks')) {
    return new Refusal('proxyHeaders go with http and https proxies: SOCKS has no headers');
  }
  return proxyOf(address, options);
}

/**
 * Understands one proxy. `format` says how four parts between colons are meant, or is a template. Throws
 * `InvalidProxyError`, whose message names at most the scheme, the host and the port.
 */
export function parseProxy(input: ProxyInput, options?: ParseProxyOptions): Proxy {
  return orThrow(
    readInput(input, options === undefined ? defaultRules : resolveListOptions(options)),
  );
}
