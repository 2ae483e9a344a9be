import type { ProxyProtocol } from '@whirl/rotator';
import type { Outcome } from './results/result.ts';

/** What a bare `host:port` may speak, the most usual first. */
export const candidates: readonly ProxyProtocol[] = ['http', 'socks5', 'socks4', 'https'];

/** A test under way with one protocol. */
export interface Trial {
  readonly outcome: Promise<Outcome>;
  cancel(): void;
}

export interface Found {
  /** Undefined: it speaks none of them, or is silent. */
  readonly protocol: ProxyProtocol | undefined;
  readonly outcome: Outcome;
}

/** A response that says no more than that the request was not understood. */
function isWeak({ ok, status }: Outcome): boolean {
  return !ok && status === 400;
}

/**
 * Finds out which protocol a proxy speaks: begins with the first, goes on to the next as soon as one fails or has been
 * silent for `staggerMs`, and ends with the first that works or is refused in its own words. When none does, the
 * failure of the first is the outcome. `begin` returns undefined, at the first never, when the time is up.
 */
export function detect(
  protocols: readonly ProxyProtocol[],
  begin: (protocol: ProxyProtocol) => Trial | undefined,
  staggerMs: number,
): Promise<Found> {
  return new Promise((resolve, reject) => {
    const running = new Set<Trial>();
    const failures: { protocol: ProxyProtocol; outcome: Outcome }[] = [];
    let begun = 0;
    let timer: NodeJS.Timeout | undefined;
    let over = false;
    const finish = (found: Found) => {
      over = true;
      clearTimeout(timer);
      for (const trial of running) trial.cancel();
      resolve(found);
    };
    const conclude = () => {
      const weak = failures.find(({ outcome }) => isWeak(outcome));
      const first = failures.find(({ protocol }) => protocol === protocols[0]);
      const { outcome } = weak ?? first ?? (failures[0] as (typeof failures)[0]);
      finish({ protocol: weak?.protocol, outcome });
    };
    const next = () => {
      clearTimeout(timer);
      const protocol = protocols[begun];
      const trial = protocol === undefined ? undefined : begin(protocol);
      if (protocol === undefined || trial === undefined) {
        if (running.size === 0) conclude();
        return;
      }
      begun++;
      running.add(trial);
      timer = setTimeout(next, staggerMs);
      trial.outcome.then((outcome) => {
        if (over) return;
        running.delete(trial);
        const ends = outcome.ok || outcome.reason === 'local' || outcome.speaks;
        if (ends && !isWeak(outcome)) {
          finish({ protocol, outcome });
          return;
        }
        failures.push({ protocol, outcome });
        next();
      }, reject);
    };
    next();
  });
}
