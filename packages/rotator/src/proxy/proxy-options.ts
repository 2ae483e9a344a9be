import { InvalidProxyError } from '../errors.ts';
import { nearestName, unknownOption } from '../unknown-option.ts';
import { checkProxyHeaders } from './proxy-headers.ts';
import type { ProxyOptions } from './proxy.ts';
import { Refusal } from './refusal.ts';

const optionNames = [
  ...['url', 'host', 'port', 'protocol', 'username', 'password', 'id', 'region', 'tags', 'weight'],
  ...['cost', 'maxConcurrent', 'tunnel', 'keepAlive', 'proxyHeaders'],
];
const maxWeight = 1e15;
const loneSurrogate = /\p{Surrogate}/u;

/** A wrong value as it may be shown: a string may be a password in the wrong field. */
function shown(value: unknown): string {
  if (typeof value === 'string') return `a string of ${value.length} characters`;
  if (typeof value === 'object' && value !== null)
    return Array.isArray(value) ? 'an array' : 'an object';
  return typeof value === 'function' ? 'a function' : String(value);
}

function invalid(name: string, must: string, value: unknown): Refusal {
  const why = `${name} must be ${must}`;
  return new Refusal(why, `${why}, got ${shown(value)}`);
}

function whyNoName(name: string, value: unknown): Refusal | undefined {
  if (typeof value !== 'string' || value === '' || value.length > 256) {
    return invalid(name, 'a text of 1 to 256 characters', value);
  }
  return loneSurrogate.test(value) ? invalid(name, 'well-formed Unicode', value) : undefined;
}

function whyUnknown(name: string): Refusal {
  // The key of a broken list may be a whole proxy. A word without a digit is none.
  if (!/^[a-z][a-z_]{0,23}$/i.test(name)) {
    const why = 'it has an unknown option, whose name may be a secret';
    return new Refusal(why);
  }
  const why = unknownOption('proxy', name, optionNames);
  if (nearestName(name, optionNames) !== undefined) return new Refusal(why);
  return new Refusal(`${why}: if another program wrote the list, name the format "records"`);
}

function whyNoHeaders(headers: unknown): Refusal | undefined {
  if (headers === undefined) return undefined;
  try {
    checkProxyHeaders('proxyHeaders', headers, (message) => {
      throw new InvalidProxyError(message);
    });
  } catch (error) {
    return new Refusal((error as Error).message);
  }
  return undefined;
}

function whyNoLimits({ weight, cost, maxConcurrent }: ProxyOptions): Refusal | undefined {
  // The selector's bounds: it must have nothing left to refuse when a pool is swapped.
  if (weight !== undefined && (!Number.isFinite(weight) || weight < 0 || weight > maxWeight)) {
    return invalid('weight', `a number from 0 to ${maxWeight}`, weight);
  }
  if (cost !== undefined && (!Number.isFinite(cost) || cost < 0)) {
    return invalid('cost', 'a number ≥ 0', cost);
  }
  if (maxConcurrent !== undefined && (!Number.isSafeInteger(maxConcurrent) || maxConcurrent < 1)) {
    return invalid(
      'maxConcurrent',
      `an integer from 1 to ${Number.MAX_SAFE_INTEGER}`,
      maxConcurrent,
    );
  }
  return undefined;
}

function whyNoTags(tags: unknown): Refusal | undefined {
  if (tags === undefined) return undefined;
  if (!Array.isArray(tags)) return invalid('tags', 'a list of texts', tags);
  for (const tag of tags) {
    const refused = whyNoName('each of tags', tag);
    if (refused !== undefined) return refused;
  }
  return undefined;
}

/** What makes the address of a proxy, one way or the other. */
function whyNoPlace(options: ProxyOptions): Refusal | undefined {
  const { url, host, port, protocol, username, password } = options;
  for (const [name, value] of Object.entries({ url, host, username, password })) {
    if (value !== undefined && typeof value !== 'string') {
      return new Refusal(`a proxy's ${name} must be a text, got ${typeof value}`);
    }
  }
  if ((url === undefined) === (host === undefined)) {
    return new Refusal('a proxy has either a url or a host');
  }
  if (url !== undefined && (port !== undefined || protocol !== undefined)) {
    return new Refusal('port and protocol go with host; a url has its own');
  }
  return port === undefined || Number.isInteger(port)
    ? undefined
    : invalid('port', 'an integer', port);
}

/** Why the options beside the address cannot be used. */
export function whyNoAttributes(options: ProxyOptions): Refusal | undefined {
  const { id, region, tags, tunnel, keepAlive, proxyHeaders } = options;
  const refused =
    (id === undefined ? undefined : whyNoName('id', id)) ??
    (region === undefined ? undefined : whyNoName('region', region)) ??
    whyNoTags(tags) ??
    whyNoLimits(options) ??
    whyNoHeaders(proxyHeaders);
  if (refused !== undefined) return refused;
  if (tunnel !== undefined && tunnel !== 'auto' && tunnel !== 'always') {
    return invalid('tunnel', '"auto" or "always"', tunnel);
  }
  return keepAlive === undefined || typeof keepAlive === 'boolean'
    ? undefined
    : invalid('keepAlive', 'true or false', keepAlive);
}

/** Why an object is not a proxy, as far as its names and types tell. */
export function whyNoOptions(options: ProxyOptions): Refusal | undefined {
  for (const name of Object.keys(options)) if (!optionNames.includes(name)) return whyUnknown(name);
  return whyNoAttributes(options) ?? whyNoPlace(options);
}
