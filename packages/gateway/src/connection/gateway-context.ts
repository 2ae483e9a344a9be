import type { ProxyRotator } from '@whirl/rotator';
import type { CredentialList } from '../access/credentials.ts';
import type { TargetRules } from '../access/target-rules.ts';
import type { WrongPasswords } from '../access/wrong-passwords.ts';
import type { Sessions } from '../routing/sessions.ts';
import type { ClientCounts } from '../access/client-counts.ts';
import type { Counters } from '../counters.ts';
import type { DecidedOptions } from '../gateway-options.ts';
import type { TunnelViews } from '../tunnel/tunnel-views.ts';

/** What every connection of a gateway shares. */
export interface GatewayContext {
  readonly rotator: ProxyRotator;
  /** The rotator under the policy of tunnels. */
  readonly views: TunnelViews;
  readonly options: DecidedOptions;
  readonly credentials: CredentialList;
  readonly wrongPasswords: WrongPasswords;
  readonly targets: TargetRules;
  readonly clients: ClientCounts;
  readonly sessions: Sessions;
  readonly counters: Counters;
  /** The name of this instance in Via. */
  readonly pseudonym: string;
  /** Ids of proxies of the pool that are this gateway. */
  readonly loops: ReadonlySet<string>;
}
