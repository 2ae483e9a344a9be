import { classify, type Failure, type Seen } from '../blame/failure.ts';
import { credentialProblem, schemesIn } from '../connection/connect-refusal.ts';
import { ProxyAuthenticationError, ProxyConnectionError } from '../errors.ts';
import type { Member } from '../pool/member.ts';
import { hasCredentials, type ProxyHeaders } from '../proxy/proxy-headers.ts';

/** A proxy that took its credentials this lately does not refuse them now. */
const tookMs = 60_000;

/**
 * A 407 in absolute form: the proxy's, unless it asks for nothing or took the same credentials a moment ago.
 * Then another proxy on the way, or the target, wants credentials of its own: this route is of no use.
 * `at`: epoch milliseconds.
 */
export function wantsCredentials(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  member: Member,
  proxyHeaders: ProxyHeaders | undefined,
  seen: Seen,
  at: number,
): Failure {
  const { id: proxyId, proxy } = member;
  const challenge = headers['proxy-authenticate'];
  const took = member.tookFor === proxy && at - member.tookAt < tookMs;
  const base = { phase: 'headers', proxyId, statusCode: 407 } as const;
  const message = `${proxyId} responded with 407`;
  if (challenge !== undefined && !took) {
    const schemes = schemesIn(typeof challenge === 'string' ? [challenge] : challenge);
    const why = credentialProblem(schemes, hasCredentials(proxy, proxyHeaders));
    const error = new ProxyAuthenticationError(`${message}: ${why}`, { ...base, schemes });
    return classify(error, seen);
  }
  const why = took ? 'although it took the same credentials lately' : 'but asks for no credentials';
  return {
    outcome: 'failure',
    phase: 'headers',
    reason: 'status',
    blame: 'route',
    statusCode: 407,
    error: new ProxyConnectionError(`${message}, ${why}`, base),
  };
}
