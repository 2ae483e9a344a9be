import type { Phase } from '@whirl/events';
import type { AttemptRecord } from './attempt-record.ts';

const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refused the connection',
  ECONNRESET: 'reset the connection',
  EPIPE: 'reset the connection',
  ENOTFOUND: 'has a name that does not resolve',
  EAI_AGAIN: 'has a name that does not resolve now',
  ETIMEDOUT: 'did not take the connection in time',
  EHOSTUNREACH: 'cannot be reached',
  ENETUNREACH: 'cannot be reached',
};

/** `p7 refused the connection (tcp)`: what a proxy did, from the code of the error that was seen. */
export function whatProxyDid(proxyId: string, codeOrText: string, phase: Phase): string {
  const said = Object.hasOwn(words, codeOrText) ? words[codeOrText] : undefined;
  const text = said === undefined ? `${proxyId}: ${codeOrText}` : `${proxyId} ${said}`;
  return `${text} (${phase})`;
}

/** Of one attempt's reason in a list of them. */
const maxReasonLength = 160;

/** Why each attempt failed, for the message of the error that ends a request: `''` when none did. */
export function reasonsOf(attempts: readonly AttemptRecord[]): string {
  const reasons: string[] = [];
  for (const { proxyId, message } of attempts) {
    if (message === undefined) continue;
    const reason = message.includes(proxyId) ? message : `${proxyId}: ${message}`;
    reasons.push(reason.length > maxReasonLength ? `${reason.slice(0, maxReasonLength)}…` : reason);
  }
  return reasons.length === 0 ? '' : `: ${reasons.join('; ')}`;
}
