import type { Credentials, Software } from './software/software.ts';
import type { Host } from './targets.ts';

const kinds = [
  { kind: 'plain', secure: false, tunnel: false },
  { kind: 'tunnel', secure: false, tunnel: true },
  { kind: 'https', secure: true, tunnel: true },
] as const;

export type WayName = (typeof kinds)[number]['kind'] | `${(typeof kinds)[number]['kind']} IPv6`;

/** How a target is asked for. */
export interface Way {
  readonly name: WayName;
  /** An https target. */
  readonly secure: boolean;
  /** CONNECT, or SOCKS, for http too. */
  readonly tunnel: boolean;
  readonly host: Host;
}

export const ways: readonly Way[] = [
  ...kinds.map(({ kind, ...rest }) => ({ name: kind, host: '127.0.0.1' as const, ...rest })),
  ...kinds.map(({ kind, ...rest }) => ({
    name: `${kind} IPv6` as const,
    host: '::1' as const,
    ...rest,
  })),
];

/** What the software cannot do, and why. It is asked for all the same: whirl has to see what curl sees. */
export interface Lack {
  /** Default: all ways. */
  readonly ways?: readonly WayName[];
  /** Default: all cells. */
  readonly cells?: readonly string[];
  readonly because: string;
}

/** A proxy as clients see it. */
export interface Front {
  readonly name: string;
  readonly software: Software;
  readonly scheme: 'http' | 'https' | 'socks4' | 'socks4a' | 'socks5' | 'socks5h';
  readonly credentials?: Credentials;
  /** Where it listens. Default 127.0.0.1. */
  readonly host?: Host;
  /** Stands behind `software` and takes the credentials. */
  readonly behind?: Software;
  readonly lacks: readonly Lack[];
}

/** Says that a front does not offer a cell; undefined when it does. */
export function lackOf(front: Front, way: WayName, cell: string): Lack | undefined {
  return front.lacks.find(
    ({ ways: only, cells }) =>
      (only === undefined || only.includes(way)) && (cells === undefined || cells.includes(cell)),
  );
}

/** SOCKS has one way for everything: to a tunnel. */
export const socksLacks: readonly Lack[] = [
  { ways: ['plain', 'plain IPv6'], because: 'SOCKS has no absolute form: see tunnel' },
];
