import type { ProxyRotator } from '@whirl/rotator';
import type { CredentialList } from '../access/credential-list.ts';
import type { TargetRules } from '../access/target-rules.ts';
import type { WrongPasswords } from '../access/wrong-passwords.ts';
import type { ClientCounts } from '../access/client-counts.ts';
import type { TunnelContext, TunnelOptions } from '../tunnel/tunnel.ts';

/** The options of a gateway that a connection reads, those of its tunnel included. */
export interface ConnectionOptions extends TunnelOptions {
  readonly headTimeoutMs: number;
  readonly via: boolean;
}

/** What every connection of a gateway shares. */
export interface GatewayContext extends TunnelContext {
  readonly rotator: ProxyRotator;
  readonly options: ConnectionOptions;
  readonly credentials: CredentialList;
  readonly wrongPasswords: WrongPasswords;
  readonly targets: TargetRules;
  readonly clients: ClientCounts;
  /** The name of this instance in Via. */
  readonly pseudonym: string;
  /** Ids of proxies of the pool that are this gateway. */
  readonly loops: ReadonlySet<string>;
  /** The gateway closes: what is under way is the last of its connection. */
  closing: boolean;
}
