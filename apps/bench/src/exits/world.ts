import { banTarget, ProxyRotator, type RotatorOptions } from '@whirl/rotator';
import { seededRandom, startExitGateway, startTarget, type ExitFate } from '@whirl/testkit';

const requests = 4000;
const lanes = 8;
/** Milliseconds of the simulated clock between two requests. */
const stepMs = 50;
/** How long an exit of the provider lives, in milliseconds of that clock. */
const exitLifeMs = 20_000;
const openMs = 30_000;
const periods = 5;

const banRules = [
  {
    name: 'refused',
    judge: ({ statusCode }: { statusCode: number }) =>
      statusCode === 403 ? banTarget(60_000) : undefined,
  },
];

interface World {
  readonly rotator: ProxyRotator;
  readonly clock: { at: number };
  readonly gateway: Awaited<ReturnType<typeof startExitGateway>>;
  ask(): Promise<boolean>;
  close(): Promise<void>;
}

async function world(exits: number, renew: boolean, options: RotatorOptions): Promise<World> {
  const clock = { at: Date.now() };
  const now = () => clock.at;
  const chance = seededRandom(3);
  const fate = (): ExitFate => {
    const at = chance();
    return at < 0.15 ? 'dead' : at < 0.3 ? 'banned' : 'ok';
  };
  const target = await startTarget();
  const gateway = await startExitGateway({ fate, ttlMs: exitLifeMs, now });
  const at = `${gateway.host}:${gateway.port}`;
  const proxy =
    exits === 0
      ? `http://U-sessid-fixed001:pw@${at}`
      : { url: `http://U-sessid-{session}:pw@${at}`, exits, renew, renewPerMinute: 1000 };
  const rotator = new ProxyRotator({
    proxies: [proxy],
    random: seededRandom(1),
    now,
    banRules,
    ...options,
  });
  return {
    rotator,
    clock,
    gateway,
    async ask() {
      try {
        const { statusCode, body } = await rotator.get(target.url);
        await body.dump();
        return statusCode === 200;
      } catch {
        return false;
      }
    },
    async close() {
      await rotator.destroy();
      await gateway.close();
      await target.close();
    },
  };
}

async function inLanes(count: number, ask: () => Promise<unknown>): Promise<void> {
  let left = count;
  const lane = async () => {
    while (left-- > 0) await ask();
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

/** `exits: 0`: the gateway as one proxy with one session. */
export async function unreliableExits({ exits, renew }: { exits: number; renew: boolean }) {
  const retryPolicy = { maxAttempts: 3, baseDelayMs: 100, failoverDelay: 'none' } as const;
  const each = await world(exits, renew, { retryPolicy });
  const { bus } = each.rotator;
  let attempts = 0;
  let bans = 0;
  let renewals = 0;
  let late = 0;
  /** Banned exits that await a new session. */
  const banned = new Set<string>();
  bus.on('attempt:start', ({ proxyId }) => {
    attempts++;
    if (banned.delete(proxyId)) late++;
  });
  bus.on('proxy:banned', ({ proxyId }) => {
    bans++;
    banned.add(proxyId);
  });
  bus.on('proxy:renewed', ({ proxyId }) => {
    renewals++;
    banned.delete(proxyId);
  });
  let good = 0;
  await inLanes(requests, async () => {
    each.clock.at += stepMs;
    if (await each.ask()) good++;
  });
  await each.close();
  return {
    'success %': (100 * good) / requests,
    'attempts / request': attempts / requests,
    bans,
    renewals,
    'banned exits used again': late,
  };
}

/** Probes that a dead gateway is sent in each period for which its group is open. */
export async function deadGateway(exits: number) {
  const each = await world(exits, true, { retryPolicy: { maxAttempts: 1 } });
  const { rotator, clock, gateway } = each;
  let attempts = 0;
  rotator.bus.on('attempt:start', () => attempts++);
  await inLanes(200, () => each.ask());
  await gateway.mood('down');
  const before = attempts;
  await inLanes(200, () => each.ask());
  const untilOpen = attempts - before;
  const probes: number[] = [];
  let slowestMs = 0;
  for (let period = 0; period < periods; period++) {
    clock.at += openMs;
    const from = attempts;
    await inLanes(100, async () => {
      const began = performance.now();
      await each.ask();
      slowestMs = Math.max(slowestMs, performance.now() - began);
    });
    probes.push(attempts - from);
  }
  await gateway.mood('ok');
  clock.at += openMs;
  await each.ask();
  let good = 0;
  await inLanes(100, async () => {
    if (await each.ask()) good++;
  });
  const { open } = rotator.circuitCounts();
  await each.close();
  return {
    exits,
    'attempts until open': untilOpen,
    'probes / open period': probes.join(' '),
    'circuits of exits open': open,
    'slowest request while open, ms': slowestMs,
    'of 100 afterwards': good,
  };
}
