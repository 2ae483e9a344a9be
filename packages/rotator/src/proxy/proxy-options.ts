import { InvalidProxyError } from '../errors.ts';
import { nearestName, unknownOption } from '@whirl/check';
import { exitOptionNames, maxExits, whyNoSpelling } from './exit-template.ts';
import { providerNames, providerOptionNames } from './provider-options.ts';
import { checkProxyHeaders } from './proxy-headers.ts';
import type { ProxyOptions } from './proxy.ts';
import { Refusal } from './refusal.ts';
import { loneSurrogate } from './well-formed.ts';

const optionNames = [
  ...['url', 'host', 'port', 'protocol', 'username', 'password', 'id', 'region', 'tags', 'weight'],
  ...['cost', 'maxConcurrent', 'tunnel', 'keepAlive', 'proxyHeaders', 'group'],
  ...exitOptionNames,
  ...providerOptionNames,
];
const maxWeight = 1e15;
const maxTtlMs = 2 ** 31 - 1;

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
    return invalid(name, 'a string of 1 to 256 characters', value);
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
  if (!Array.isArray(tags)) return invalid('tags', 'an array of strings', tags);
  for (const tag of tags) {
    const refused = whyNoName('each of tags', tag);
    if (refused !== undefined) return refused;
  }
  return undefined;
}

function whyNoWhole(name: string, value: unknown, least: number, most: number) {
  if (value === undefined) return undefined;
  const whole = Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
  return whole ? undefined : invalid(name, `an integer from ${least} to ${most}`, value);
}

function whyNoRegions(regions: unknown): Refusal | undefined {
  if (regions === undefined) return undefined;
  if (typeof regions !== 'object' || regions === null || Array.isArray(regions)) {
    return invalid('regions', 'an object of spellings by region', regions);
  }
  for (const [region, spelling] of Object.entries(regions)) {
    const refused = whyNoName('each name in regions', region);
    if (refused !== undefined) return refused;
    const must = whyNoSpelling(spelling);
    if (must !== undefined) return invalid('each spelling in regions', must, spelling);
  }
  return undefined;
}

/** What is said of the exits of a gateway, and of its provider. */
function whyNoExitOptions(options: ProxyOptions): Refusal | undefined {
  const { exits, renew, renewPerMinute, sessionTtlMs, regions, provider, zone, country } = options;
  if (renew !== undefined && typeof renew !== 'boolean') {
    return invalid('renew', 'true or false', renew);
  }
  if (provider !== undefined && !(providerNames as readonly unknown[]).includes(provider)) {
    return invalid('provider', `one of ${providerNames.join(', ')}`, provider);
  }
  return (
    whyNoWhole('exits', exits, 1, maxExits) ??
    whyNoWhole('renewPerMinute', renewPerMinute, 1, maxExits) ??
    whyNoWhole('sessionTtlMs', sessionTtlMs, 1000, maxTtlMs) ??
    whyNoRegions(regions) ??
    (zone === undefined ? undefined : whyNoName('zone', zone)) ??
    (country === undefined ? undefined : whyNoName('country', country))
  );
}

/** What makes the address of a proxy, one way or the other. */
function whyNoPlace(options: ProxyOptions): Refusal | undefined {
  const { url, host, port, protocol, username, password, provider } = options;
  for (const [name, value] of Object.entries({ url, host, username, password })) {
    if (value !== undefined && typeof value !== 'string') {
      return invalid(name, 'a string', value);
    }
  }
  if (provider !== undefined) return undefined;
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
  const { id, region, tags, tunnel, keepAlive, proxyHeaders, group } = options;
  const refused =
    (id === undefined ? undefined : whyNoName('id', id)) ??
    (region === undefined ? undefined : whyNoName('region', region)) ??
    (group === undefined ? undefined : whyNoName('group', group)) ??
    whyNoExitOptions(options) ??
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
