import type { ProxyRotator } from '@whirl/rotator';

const last = new WeakMap<ProxyRotator, Promise<unknown>>();

/**
 * Runs a change of the pool after those that were asked for before it have ended. A long list joins in steps: what
 * it found out about the pool before its first step must hold until its last.
 */
export async function inTurn<Result>(
  rotator: ProxyRotator,
  change: () => Result | Promise<Result>,
): Promise<Result> {
  const done = (last.get(rotator) ?? Promise.resolve()).then(change);
  last.set(
    rotator,
    done.catch(() => {}),
  );
  return done;
}
