import type { ProxyRotator } from '@whirl/rotator';
import { roundRobin } from '@whirl/selector';
import type { Demo } from '@whirl/server';
import {
  seededRandom,
  startProxy,
  startTarget,
  type FlakyProxy,
  type Target,
} from '@whirl/testkit';
import { fleet, type Member } from './fleet.ts';
import { turnOf } from './wave.ts';

export interface DemoOptions {
  /** How many times as fast as usual it goes: waves, circuits and traffic. Default 1. */
  readonly speed?: number;
}

const trafficMs = 90;
/** The first free one is the target's, so that a command of the documentation can be pasted. 0: any. */
const targetPorts = [18_000, 18_001, 18_002, 18_003, 0];
const sites = ['shop.test', 'news.test', 'maps.test', 'search.test', 'weather.test', 'mail.test'];
const paths = ['/', '/bytes/20000', '/delay/40', '/gzip'];

async function startTargetOn([port = 0, ...others]: readonly number[]): Promise<Target> {
  try {
    return await startTarget({ port });
  } catch (error) {
    if (others.length === 0 || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    return startTargetOn(others);
  }
}

/**
 * Real, flaky proxies on loopback with a target behind them, which they know by several names: a proxy
 * that fails at one site alone is avoided there for a minute, and its circuit has no part in that.
 *
 * Each proxy is asked in turn: `adaptive()`, the library's own choice, would leave a failing proxy
 * before its circuit has to, and there would be little to see.
 */
export async function startDemo({ speed = 1 }: DemoOptions = {}): Promise<Demo> {
  const target = await startTargetOn(targetPorts);
  const hosts = Object.fromEntries(sites.map((site) => [site, '127.0.0.1']));
  // With a mistyped variable an operator gets the demo: no traffic of theirs may leave through it.
  const reaches = (hostname: string, port: number) =>
    port === target.port && (hostname === '127.0.0.1' || sites.includes(hostname));
  const unreachable =
    `This is a demo: its proxies reach ${target.url} alone. For other targets give proxies of your own ` +
    'with WHIRL_PROXIES or WHIRL_PROXIES_FILE.\n';
  const proxies: FlakyProxy[] = [];
  for (const [n, { behaviour }] of fleet.entries()) {
    const random = seededRandom(n);
    proxies.push(await startProxy({ behaviour, hosts, reaches, unreachable, random }));
  }
  const stops: (() => void)[] = [];

  const letComeAndGo = (proxy: FlakyProxy, member: Member) => {
    const { trouble } = member;
    if (trouble === undefined) return;
    const startedAt = performance.now();
    let timer: NodeJS.Timeout;
    let troubled = false;
    const turn = () => {
      const now = turnOf(trouble.wave, (performance.now() - startedAt) * speed);
      // A timer may come a little early: what has not changed needs no telling.
      if (now.troubled !== troubled) {
        troubled = now.troubled;
        void proxy.behave(troubled ? trouble.behaviour : member.behaviour);
      }
      timer = setTimeout(turn, now.leftMs / speed).unref();
    };
    turn();
    stops.push(() => clearTimeout(timer));
  };

  const sendTraffic = (rotator: ProxyRotator) => {
    const random = seededRandom(fleet.length);
    const oneOf = (all: readonly string[]) => all[Math.floor(random() * all.length)];
    const timer = setInterval(() => {
      rotator
        .get(`http://${oneOf(sites)}:${target.port}${oneOf(paths)}`)
        .then(({ body }) => body.dump())
        // The page and the log show what failed.
        .catch(() => {});
    }, trafficMs / speed).unref();
    stops.push(() => clearInterval(timer));
  };

  return {
    proxies: proxies.map(({ url }, n) => {
      const { id, region } = fleet[n] as Member;
      return { url, id, region };
    }),
    targetUrl: target.url,
    rotator: {
      strategy: roundRobin(),
      retryPolicy: { maxAttempts: 5, baseDelayMs: 100, attemptTimeoutMs: 2000 },
      circuitBreaker: {
        failureThreshold: 3,
        windowMs: 5000 / speed,
        openMs: 4000 / speed,
        openMultiplier: 2,
        maxOpenMs: 60_000 / speed,
      },
    },
    run(rotator) {
      for (const [n, proxy] of proxies.entries()) letComeAndGo(proxy, fleet[n] as Member);
      sendTraffic(rotator);
    },
    async close() {
      for (const stop of stops) stop();
      await Promise.all([...proxies, target].map((server) => server.close()));
    },
  };
}
