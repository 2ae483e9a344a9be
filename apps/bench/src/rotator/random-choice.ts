import type { ProxyRotator, RotatorResponse } from '@whirl/rotator';

const once = { maxAttempts: 1, attemptTimeoutMs: 1000 } as const;

/**
 * A request without any knowledge of the proxies: each attempt through one that
 * was drawn, and not tried before. (The rotator's own `random()` still avoids what failed for a target.)
 */
export async function sendAtRandom(
  rotator: ProxyRotator,
  target: string,
  attempts: number,
  onAttempt: (attempt: number, succeeded: boolean) => void = () => {},
): Promise<RotatorResponse> {
  const left = rotator.proxies().map(({ id }) => id);
  for (let attempt = 0; ; attempt++) {
    const [proxyId] = left.splice(Math.floor(Math.random() * left.length), 1);
    const last = attempt === attempts - 1;
    try {
      const response = await rotator.get(target, { proxyId, retryPolicy: once });
      onAttempt(attempt, response.statusCode === 200);
      if (response.statusCode === 200 || last) return response;
      await response.body.dump();
    } catch (error) {
      onAttempt(attempt, false);
      if (last) throw error;
    }
  }
}
