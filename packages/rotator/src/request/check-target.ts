import type { AccessRules } from '../access-rules.ts';
import { InvalidRequestError } from '../errors.ts';

/** Throws an `InvalidRequestError` for a target that the rules refuse. `url`: http: or https:. */
export function checkTarget(rules: AccessRules | undefined, url: string | URL): void {
  if (rules === undefined) return;
  const { hostname, port, protocol } = new URL(url);
  const number = port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
  checkHost(rules, hostname, number);
}

/** The same for a host and a port. */
export function checkHost(rules: AccessRules | undefined, host: string, port: number): void {
  const refusal = rules?.refusal(host, port);
  if (refusal === undefined) return;
  throw new InvalidRequestError(`the target ${host}:${port} ${refusal}`);
}
