import type { ProxyRotator } from '@whirl/rotator';
import { startProxy, startTarget, type Behaviour } from '@whirl/testkit';

const fleet: readonly Behaviour[] = [
  { kind: 'ok', latencyMs: 20 },
  { kind: 'ok', latencyMs: 250 },
  { kind: 'mix', latencyMs: 40, parts: [{ ratio: 0.3, behaviour: { kind: 'reset' } }] },
  { kind: 'mix', parts: [{ ratio: 0.5, behaviour: { kind: 'status', statusCode: 503 } }] },
  { kind: 'ok', latencyMs: 60 },
  { kind: 'refuse' },
];
/** This one dies and comes back, so that its circuit opens and recovers. */
const moody = 4;
const moodMs = 20_000;
const trafficMs = 300;

export interface Demo {
  readonly proxies: readonly string[];
  readonly targetUrl: string;
  /** Sends a little steady traffic, until close. */
  run(rotator: ProxyRotator): void;
  close(): Promise<void>;
}

/** Real, flaky proxies on loopback with a target behind them. */
export async function startDemo(): Promise<Demo> {
  const target = await startTarget();
  const proxies = await Promise.all(fleet.map((behaviour) => startProxy({ behaviour })));
  const timers: NodeJS.Timeout[] = [];
  let dead = false;
  return {
    proxies: proxies.map(({ url }) => url),
    targetUrl: target.url,
    run(rotator) {
      timers.push(
        setInterval(() => {
          rotator
            .get(target.url)
            .then(
              (response) => response.body.dump(),
              () => {},
            )
            .catch(() => {});
        }, trafficMs).unref(),
        setInterval(() => {
          dead = !dead;
          const next = dead ? ({ kind: 'reset' } as const) : (fleet[moody] as Behaviour);
          void proxies[moody]?.behave(next);
        }, moodMs).unref(),
      );
    },
    async close() {
      for (const timer of timers) clearInterval(timer);
      await Promise.all([...proxies, target].map((server) => server.close()));
    },
  };
}
