import { isIP } from 'node:net';
import { AccessRules } from '@whirl/rotator';
import type { Authority } from '../head/authority.ts';
import { OwnAddresses } from './own-addresses.ts';

export interface TargetRulesOptions {
  /** Rules as those of the rotator: `*.example.com`, `10.0.0.0/8`, `*:443`. Undefined: all are allowed. */
  readonly allow?: readonly string[] | undefined;
  /** They win over `allow`. */
  readonly deny?: readonly string[] | undefined;
  /** Refuse addresses that lead into a private network. */
  readonly denyPrivate: boolean;
  /** Where this process listens. Read at every question, because a port may be known later. */
  readonly own: () => Iterable<Authority>;
}

/** Networks that no target on the internet is in (IANA's special-purpose registries, and multicast). */
const privateNetworks: readonly string[] = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  // 169.254.169.254, the metadata service of clouds, is in it.
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/128',
  '::1/128',
  'fc00::/7',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
  'localhost',
  '*.localhost',
  // The names under which clouds offer their metadata service.
  // A service of Azure.
  '168.63.129.16',
  'metadata.google.internal',
  'metadata.goog',
  'metadata',
  'instance-data',
  'instance-data.ec2.internal',
];

const smtpPort = 25;

/**
 * Which targets a client may ask for. It knows hosts as they are written: names are resolved by the upstream
 * proxy, so where a name leads cannot be checked here.
 */
export class TargetRules {
  /** Undefined: there are none. */
  readonly #rules: AccessRules | undefined;
  readonly #private: AccessRules | undefined;
  readonly #own: OwnAddresses;

  /** Throws a TypeError or RangeError that names the rule. */
  constructor({ allow, deny, denyPrivate, own }: TargetRulesOptions) {
    const rules = rulesOf(allow, deny);
    this.#rules = rules.isEmpty ? undefined : rules;
    this.#private = denyPrivate
      ? new AccessRules('targets', {}, { targets: privateNetworks })
      : undefined;
    this.#own = new OwnAddresses(own);
  }

  /** Why a target is refused; undefined: it is not. */
  refusal(to: Authority): string | undefined {
    const { host, port } = to;
    if (port === smtpPort) return 'port 25 is not served: it sends mail';
    if (this.#own.holds(to)) return 'the target is this server itself';
    if (this.#private?.refusal(host, port) !== undefined) {
      return `${isIP(host) === 0 ? 'the name' : 'the address'} leads into a private network`;
    }
    const refusal = this.#rules?.refusal(host, port);
    // The rules speak of their own option, and which rule it is concerns the operator alone.
    if (refusal === undefined) return undefined;
    return refusal.startsWith('is denied')
      ? 'the target is denied by a rule'
      : 'no rule allows the target';
  }
}

/** The rotator's rules know the same options under the names `allow.targets` and `deny.targets`. */
function rulesOf(
  allow: readonly string[] | undefined,
  deny: readonly string[] | undefined,
): AccessRules {
  try {
    return new AccessRules(
      'targets',
      allow === undefined ? {} : { targets: allow },
      deny === undefined ? {} : { targets: deny },
    );
  } catch (error) {
    const { message } = error as Error;
    const own = message.replace(/^(allow|deny)\.targets/, '$1');
    throw error instanceof TypeError ? new TypeError(own) : new RangeError(own);
  }
}
