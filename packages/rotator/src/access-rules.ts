import { embeddedIpv4, readIp, type IpBits } from './ip-address.ts';
import { check, checkOptions, object, anything, array, shown } from '@whirl/check';

/**
 * Rules for proxies and for targets. A rule is a host name, in which `*` stands for any characters, an
 * address or a network (`10.0.0.0/8`, `fe80::/10`); with `:80` or `:1-1023` behind it (IPv6 then in
 * brackets) it is about these ports alone. At most 10,000 rules each.
 */
export interface AccessOptions {
  /** About the host and port of a proxy. Default: no rules. */
  readonly proxies?: readonly string[] | undefined;
  /** About the host and port of a request's URL. Default: no rules. */
  readonly targets?: readonly string[] | undefined;
}

type Kind = keyof AccessOptions;

interface Rule {
  readonly text: string;
  readonly firstPort: number;
  readonly lastPort: number;
  readonly network: (IpBits & { readonly prefix: number }) | undefined;
  readonly name: readonly string[];
}

const maxRules = 10_000;
const ruleForm =
  /^(?:\[([0-9a-f:.]{2,45})\](\/\d{1,3})?|([a-z0-9*._-]{1,253}?)(\/\d{1,3})?)(?::(\d{1,5})(?:-(\d{1,5}))?)?$/i;

/** Which proxies, or which targets, may be used. A rule of `deny` wins over one of `allow`. */
export class AccessRules {
  readonly #kind: Kind;
  /** Undefined: what is not denied is allowed. */
  readonly #allow: readonly Rule[] | undefined;
  readonly #deny: readonly Rule[];

  /** Throws a TypeError or RangeError that names the rule. */
  constructor(kind: Kind, allow: AccessOptions = {}, deny: AccessOptions = {}) {
    this.#kind = kind;
    const allowed = allow[kind];
    this.#allow = allowed === undefined ? undefined : readRules(`allow.${kind}`, allowed);
    const denied = deny[kind];
    this.#deny = denied === undefined ? [] : readRules(`deny.${kind}`, denied);
  }

  /** Whether there is any rule. */
  get isEmpty(): boolean {
    return this.#allow === undefined && this.#deny.length === 0;
  }

  /** Why this host, a name or an address in any form that URLs take, may not be used. */
  refusal(host: string, port: number): string | undefined {
    const name = canonicalHost(host);
    const address = readIp(name);
    const denied = this.#deny.find((rule) => matches(rule, name, address, port));
    if (denied !== undefined) return `is denied by ${denied.text} (deny.${this.#kind})`;
    if (this.#allow?.some((rule) => matches(rule, name, address, port)) === false) {
      return `matches no rule of allow.${this.#kind}`;
    }
    return undefined;
  }

  /**
   * Why an address that a name led to may not be used. `allow` is about hosts as they are written: it is
   * not asked again.
   */
  refusalOfAddress(address: string, port: number): string | undefined {
    if (this.#deny.length === 0) return undefined;
    const bits = readIp(address);
    const denied = this.#deny.find((rule) => matches(rule, address, bits, port));
    return denied && `leads to ${address}, which is denied by ${denied.text} (deny.${this.#kind})`;
  }
}

/** The rules of both kinds; undefined where there are none. Throws a TypeError or RangeError. */
export function accessRules(
  allow: AccessOptions | undefined,
  deny: AccessOptions | undefined,
): { proxies: AccessRules | undefined; targets: AccessRules | undefined } {
  for (const [option, given] of Object.entries({ allow, deny })) {
    if (given === undefined) continue;
    check(option, given, { ...object, wanted: 'an object with proxies or targets' });
    checkOptions(option, given, { proxies: anything, targets: anything });
  }
  const rulesOf = (kind: Kind) => {
    const rules = new AccessRules(kind, allow, deny);
    return rules.isEmpty ? undefined : rules;
  };
  return { proxies: rulesOf('proxies'), targets: rulesOf('targets') };
}

function readRules(option: string, texts: readonly string[]): Rule[] {
  check(option, texts, { ...array, wanted: 'an array of rules' });
  if (texts.length > maxRules) {
    throw new RangeError(`${option} must hold at most ${maxRules} rules, got ${texts.length}`);
  }
  return texts.map((text: unknown, i) => readRule(`${option}[${i}]`, text));
}

function readRule(option: string, text: unknown): Rule {
  const refuse = (why: string): never => {
    // A rule is no secret, but a proxy with its password is easily put here.
    const got =
      typeof text === 'string' && !text.includes('@')
        ? JSON.stringify(text.slice(0, 300))
        : shown(text);
    const kind = typeof text === 'string' ? RangeError : TypeError;
    throw new kind(`${option} must be ${why}, got ${got}`);
  };
  const expected =
    'a host name with *, an address or a network, each with or without :port or :port-port';
  if (typeof text !== 'string') return refuse(expected);
  const bare = /^([0-9a-f:.]+)(\/\d{1,3})?$/i.exec(text);
  const isBareIpv6 = bare !== null && readIp(bare[1] as string)?.width === 128;
  const parts = isBareIpv6 ? [text, bare[1], bare[2]] : ruleForm.exec(text);
  if (parts === null) return refuse(expected);
  const [, ipv6, ipv6Prefix, host = '', hostPrefix, from, to = from] = parts;
  const firstPort = from === undefined ? 0 : Number(from);
  const lastPort = to === undefined ? 65_535 : Number(to);
  if ((from !== undefined && firstPort === 0) || lastPort > 65_535 || firstPort > lastPort) {
    return refuse('a rule with ports from 1 to 65535, the lower one first');
  }
  const slash = ipv6Prefix ?? hostPrefix;
  const address = readIp(ipv6 ?? (host.includes('*') ? host : canonicalHost(host)));
  if (ipv6 !== undefined && address?.width !== 128) return refuse(expected);
  if (address === undefined) {
    if (slash !== undefined) return refuse('a network that begins with an address, as 10.0.0.0/8');
    const name = host.toLowerCase().replace(/\.$/, '').split('*');
    return { text, firstPort, lastPort, network: undefined, name };
  }
  const prefix = slash === undefined ? address.width : Number(slash.slice(1));
  if (prefix > address.width) return refuse(`a network of at most /${address.width}`);
  return { text, firstPort, lastPort, network: { ...address, prefix }, name: [] };
}

function matches(rule: Rule, name: string, address: IpBits | undefined, port: number): boolean {
  if (port < rule.firstPort || port > rule.lastPort) return false;
  const { network } = rule;
  if (network === undefined) return matchesName(rule.name, name);
  if (address === undefined) return false;
  return isWithin(address, network) || isWithin(embeddedIpv4(address), network);
}

function isWithin(address: IpBits | undefined, network: IpBits & { prefix: number }): boolean {
  if (address?.width !== network.width) return false;
  const rest = BigInt(network.width - network.prefix);
  return address.bits >> rest === network.bits >> rest;
}

/** Pieces between stars, in one pass: each is sought behind the one before. */
function matchesName(pieces: readonly string[], name: string): boolean {
  const [first = '', ...rest] = pieces;
  if (rest.length === 0) return name === first;
  const last = rest.pop() as string;
  if (!name.startsWith(first) || !name.endsWith(last)) return false;
  const end = name.length - last.length;
  let at = first.length;
  for (const piece of rest) {
    const found = name.indexOf(piece, at);
    if (found === -1 || found + piece.length > end) return false;
    at = found + piece.length;
  }
  return at <= end;
}

/** In lower case, without brackets and a final dot; an address as it is usually written (0x7f.1 is 127.0.0.1). */
export function canonicalHost(host: string): string {
  const lower = host.toLowerCase();
  const bracketed = lower.includes(':') && !lower.startsWith('[') ? `[${lower}]` : lower;
  const text = URL.canParse(`http://${bracketed}/`)
    ? new URL(`http://${bracketed}/`).hostname
    : lower;
  return text.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
}
