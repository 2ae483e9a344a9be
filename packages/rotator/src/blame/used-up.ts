import type { ProxyConnectionError } from '../errors.ts';

/** How providers say that an account is used up. Their words stand in headers or in the body of a refused CONNECT. */
const usedUp = [
  /\b(?:no|insufficient|not enough|out of|zero|low)\s+(?:balance|credits?|funds|traffic|bandwidth|quota)\b/i,
  /\b(?:balance|credits?|funds|traffic|bandwidth|quota)\b[^.;\n]{0,24}\b(?:reached|exceeded|exhausted|depleted|used up|expired|is over)\b/i,
  /\bpayment required\b/i,
];
const maxSaid = 8192;

/** Whether a refusal of CONNECT says that the account has nothing left: 402, or a provider's words for it. */
export function isUsedUp(error: ProxyConnectionError): boolean {
  const { statusCode, connectHeaders, connectBody } = error;
  if (statusCode === 402) return true;
  if (statusCode === undefined || statusCode < 400) return false;
  const said = [...Object.values(connectHeaders ?? {}).flat(), connectBody ?? '']
    .join('\n')
    .slice(0, maxSaid);
  return usedUp.some((pattern) => pattern.test(said));
}
