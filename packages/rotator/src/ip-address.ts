import net from 'node:net';

/** An address as bits, 32 or 128 of them. */
export interface IpBits {
  readonly width: 32 | 128;
  readonly bits: bigint;
}

const ipv4Inside: readonly {
  readonly prefix: bigint;
  readonly rest: bigint;
  readonly at: bigint;
}[] = [
  // IPv4-mapped ::ffff:0:0/96, NAT64 64:ff9b::/96 (RFC 6052), IPv4-compatible ::/96 (deprecated).
  { prefix: 0xffffn, rest: 32n, at: 0n },
  { prefix: 0x64ff9b_0000_0000_0000_0000n, rest: 32n, at: 0n },
  { prefix: 0n, rest: 32n, at: 0n },
  // 6to4 2002::/16 (RFC 3056).
  { prefix: 0x2002n, rest: 112n, at: 80n },
];

/** Reads an IPv4 or IPv6 address without brackets; undefined for anything else. */
export function readIp(text: string): IpBits | undefined {
  if (net.isIPv4(text)) return { width: 32, bits: joined(text.split('.'), 8n, 10) };
  if (!net.isIPv6(text) || text.includes('%')) return undefined;
  // As URLs write it, an IPv4 tail has become two groups.
  const canonical = new URL(`http://[${text}]/`).hostname.slice(1, -1);
  const [head = '', tail] = canonical.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array<string>(8 - before.length - after.length).fill('0');
  return { width: 128, bits: joined([...before, ...zeros, ...after], 16n, 16) };
}

/** The IPv4 address that an IPv6 address stands for, where it is one of the known forms. */
export function embeddedIpv4({ width, bits }: IpBits): IpBits | undefined {
  if (width === 32) return undefined;
  const form = ipv4Inside.find(({ prefix, rest }) => bits >> rest === prefix);
  // :: and ::1 are addresses of their own.
  if (form === undefined || bits <= 1n) return undefined;
  return { width: 32, bits: (bits >> form.at) & 0xffff_ffffn };
}

function joined(parts: readonly string[], width: bigint, radix: 10 | 16): bigint {
  return parts.reduce((bits, part) => (bits << width) | BigInt(Number.parseInt(part, radix)), 0n);
}
