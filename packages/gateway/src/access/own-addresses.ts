import { hostname, networkInterfaces } from 'node:os';
import { isIP } from 'node:net';
import { AccessRules } from '@whirl/rotator';
import type { Authority } from '../head/authority.ts';

/** Every address, and every name that systems have for them, that leads to the machine itself. */
const alwaysHere: readonly string[] = [
  '127.0.0.0/8',
  '0.0.0.0/8',
  '::/128',
  '::1/128',
  'localhost',
  '*.localhost',
  'localhost.localdomain',
  'ip6-localhost',
  'ip6-loopback',
];

/** How long the list of this machine's interfaces is taken to hold. */
const interfacesHoldMs = 10_000;

/**
 * Whether a target is a port on which this process listens. The host may be written in any way that a resolver or
 * a URL parser takes: `127.1`, `0x7f000001`, `2130706433`, `::ffff:127.0.0.1`, `localhost.`
 */
export class OwnAddresses {
  readonly #own: () => Iterable<Authority>;
  #here: AccessRules | undefined;
  #readAt = -Infinity;

  constructor(own: () => Iterable<Authority>) {
    this.#own = own;
  }

  holds({ host, port }: Authority): boolean {
    for (const own of this.#own()) {
      if (own.port !== port) continue;
      if (this.#machine().refusal(host, port) !== undefined) return true;
      if (sameHost(own.host, host)) return true;
    }
    return false;
  }

  /** The addresses of the machine's interfaces, and its names. */
  #machine(): AccessRules {
    const at = performance.now();
    if (this.#here === undefined || at - this.#readAt > interfacesHoldMs) {
      this.#readAt = at;
      this.#here = new AccessRules('targets', {}, { targets: [...alwaysHere, ...machineHosts()] });
    }
    return this.#here;
  }
}

function machineHosts(): string[] {
  const hosts = Object.values(networkInterfaces())
    .flatMap((each) => each ?? [])
    .map(({ address }) => address.split('%')[0] as string)
    .filter((address) => isIP(address) !== 0);
  const name = hostname().toLowerCase();
  return /^[a-z0-9._-]{1,253}$/.test(name) ? [...hosts, name] : hosts;
}

function sameHost(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
