import { InvalidRequestError } from './errors.ts';
import { policyFieldNames } from './policy/retry-policy.ts';
import { routingOptionNames } from './request/request-options.ts';

const inSmall = new Map<string, string>(
  routingOptionNames.map((name) => [name.toLowerCase(), name]),
);
const policyFields = new Set(policyFieldNames.filter((name) => name !== 'name'));

/**
 * Refuses what can only be meant for the pool, and would have no effect: a pool option in other letters,
 * or a field of the policy beside it. Everything else is fetch's to know: platforms add names of their own.
 */
export function checkFetchOptions(init: object): void {
  for (const name of Object.keys(init)) {
    const meant = inSmall.get(name.toLowerCase());
    if (meant !== undefined && meant !== name) {
      throw new InvalidRequestError(`unknown option "${name}": ${meant} is meant`);
    }
    if (policyFields.has(name)) {
      throw new InvalidRequestError(`unknown option "${name}": it is a field of retryPolicy`);
    }
  }
}
