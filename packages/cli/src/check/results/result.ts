import { mask } from '../../terminal/mask.ts';
import type { FailureReason, Phase } from '@whirl/events';
import type { Proxy, ProxyProtocol } from '@whirl/rotator';

/**
 * Why a proxy does not work. Beside the rotator's reasons: `content`, the body lacks what `--expect-body` asks
 * for; `local`, this machine had no descriptors or memory left.
 */
export type Reason = FailureReason | 'content' | 'local';

/** How one test of one proxy with one protocol ended. */
export interface Outcome {
  readonly ok: boolean;
  /** Milliseconds until the tunnel stood, or in absolute form until the proxy was reached. */
  readonly connectMs?: number | undefined;
  /** TLS with the target. */
  readonly tlsMs?: number | undefined;
  /** From the beginning to the head of the response. */
  readonly firstByteMs?: number | undefined;
  /** Where it failed. */
  readonly phase?: Phase | undefined;
  readonly reason?: Reason | undefined;
  /** Of the response, or of a refused CONNECT. */
  readonly status?: number | undefined;
  /** The address that the target saw, when it tells. */
  readonly exitIp?: string | undefined;
  /** The other end has shown that it speaks the protocol, if only by a refusal. */
  readonly speaks: boolean;
}

/** What is reported of one line of the list. */
export interface CheckResult {
  readonly line: number;
  readonly proxy: Proxy;
  /** As the list names it, or as it was found out; undefined: neither. */
  readonly protocol: ProxyProtocol | undefined;
  readonly outcome: Outcome;
  /** Epoch milliseconds at the end of the test. */
  readonly checkedAt: number;
}

/** The URL of a proxy, its password hidden unless it is asked for. A protocol that is not known is left out. */
export function addressOf(
  { proxy, protocol }: Pick<CheckResult, 'proxy' | 'protocol'>,
  showPasswords: boolean,
): string {
  const { host, port, username, password, exits } = proxy;
  const scheme = protocol === undefined ? '' : `${protocol}://`;
  let user = '';
  if (username !== undefined || password !== undefined) {
    // Placeholders stay what they are.
    const name = exits?.usernameInUrl ?? encodeURIComponent(username ?? '');
    const written = exits?.passwordInUrl ?? encodeURIComponent(password ?? '');
    const secret = showPasswords ? written : mask;
    user = name + (password === undefined ? '' : `:${secret}`) + '@';
  }
  return `${scheme}${user}${host}:${port}`;
}
