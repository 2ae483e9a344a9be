import { ProxyConnectionError } from '../errors.ts';
import type { Failure } from './failure.ts';
import { isUsedUp } from './used-up.ts';

/** What an attempt tells of the machine that it went through, whatever exit or port of it. */
export type GatewayOutcome = 'works' | 'failed' | 'unknown';

/**
 * What a failure, or a success, tells of the machine behind a group. `failed`: its name, TCP and TLS with it, its SOCKS
 * greeting, the credentials, an account that is used up. `works`: it has said anything else. `unknown`: it had no time
 * to, or the silence may be that of what lies behind it.
 */
export function gatewayOutcome(failure: Failure | undefined): GatewayOutcome {
  if (failure === undefined) return 'works';
  const { blame, phase, reason, error, statusCode, outcome } = failure;
  if (blame === 'caller' || outcome === 'aborted') return 'unknown';
  if (reason === 'proxy_auth') return 'failed';
  if (phase === 'dns' || phase === 'tcp' || phase === 'tls_proxy') {
    return blame === 'proxy' ? 'failed' : 'unknown';
  }
  if (error instanceof ProxyConnectionError && phase === 'connect' && isUsedUp(error)) {
    return 'failed';
  }
  if (phase === 'socks') {
    const replied = error instanceof ProxyConnectionError && error.socksReply !== undefined;
    return replied ? 'works' : blame === 'proxy' ? 'failed' : 'unknown';
  }
  if (statusCode !== undefined || phase === 'tls_target' || phase === 'body') return 'works';
  return 'unknown';
}
