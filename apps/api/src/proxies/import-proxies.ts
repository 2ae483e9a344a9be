import { InvalidProxyError, type Proxy, type ProxyRotator } from '@whirl/rotator';
import { ApiError } from '../errors.ts';

/** What a reader returns; what it refuses is answered with 400. */
export function understood<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof InvalidProxyError)) throw error;
    throw new ApiError(400, 'invalid_proxy', error.message);
  }
}

/**
 * Adds all of them, or none when the pool has one of the ids. Returns the ids. They are understood
 * already, so that nothing is refused half-way.
 */
export function addAll(rotator: ProxyRotator, proxies: readonly Proxy[]): string[] {
  const present = rotator.getCircuitBreakerStates();
  const taken = proxies.filter(({ id }) => present.has(id)).map(({ id }) => id);
  if (taken.length > 0) {
    const first = taken.slice(0, 5).map((id) => `"${id}"`);
    const more = taken.length > 5 ? ` and ${taken.length - 5} more` : '';
    throw new ApiError(
      409,
      'proxy_exists',
      `the pool has ${first.join(', ')}${more} already; nothing was added`,
      { details: { ids: taken } },
    );
  }
  return proxies.map((proxy) => rotator.addProxy(proxy));
}
