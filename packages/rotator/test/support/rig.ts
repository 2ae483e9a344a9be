import { afterEach } from 'vitest';
import { ProxyRotator, type RotatorOptions } from '../../src/index.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

/** Closes it after the test, in reverse order. */
export function use<T extends { close(): unknown }>(each: T): T {
  open.push(each);
  return each;
}

/** A rotator that makes one attempt, unless the options say more; destroyed after the test. */
export function startRotator(options: RotatorOptions): ProxyRotator {
  const rotator = new ProxyRotator({ retryPolicy: { maxAttempts: 1 }, ...options });
  use({ close: () => rotator.destroy() });
  return rotator;
}

/** The error of the attempt that failed: the deepest of the causes that has a phase. */
export async function failureOf(
  request: PromiseLike<unknown>,
): Promise<Error & { code?: string; phase?: string; statusCode?: number; retryAfterMs?: number }> {
  let found: Error | undefined;
  try {
    await request;
  } catch (error) {
    for (let each = error; each instanceof Error; each = each.cause) {
      if (found === undefined || 'phase' in each) found = each;
    }
    if (found === undefined) throw error;
  }
  if (found === undefined) throw new Error('it was expected to fail');
  return found;
}

/** Reads a response to its end. */
export async function read(
  request: PromiseLike<{ statusCode: number; body: { text(): Promise<string> } }>,
): Promise<{ statusCode: number; text: string }> {
  const { statusCode, body } = await request;
  return { statusCode, text: await body.text() };
}
