import { joinFleet, type Fleet } from '@whirl/fleet';
import { redisStore } from '@whirl/fleet/redis';
import { seededRandom } from '@whirl/testkit';
import { clients } from '../../../../packages/fleet/server/clients.ts';
import { SimulatedPool } from '../../../../packages/fleet/src/testing/simulated-pool.ts';

export const processes = 50;
const proxies = 10_000;
/** Proxies that each process uses. */
const used = 2000;
/** Of one process. */
const failuresPerSecond = 25;
const turnMs = 50;

/** A member of the fleet with traffic of its own, and a connection of its own. */
export interface Member {
  readonly fleet: Fleet;
  readonly end: () => Promise<void>;
}

/**
 * Joins as the member of that number, and lets its attempts end. Each failure is followed by a success: both are told
 * where others see failures too, and no circuit opens. What a late timer owes is made up for.
 */
export async function startMember(number: number, port: number): Promise<Member> {
  const ids = Array.from(
    { length: used },
    (_, k) => `proxy-${(number * 200 + k) % proxies}.example:8000`,
  );
  const random = seededRandom(number + 1);
  const { commands, end } = await clients['ioredis']!(port);
  const pool = new SimulatedPool({ now: epochNow, random, ids });
  const fleet = joinFleet({
    rotator: pool,
    pool: 'bench',
    store: redisStore(commands),
    processId: `process-${number}`,
    witness: `host-${number % 10}`,
    rowsPerSecond: 10_000,
    deadlineMs: 1000,
  });
  const beganAt = performance.now();
  let failures = 0;
  const timer = setInterval(() => {
    const due = ((performance.now() - beganAt) * failuresPerSecond) / 1000;
    for (; failures < due; failures++) {
      const id = ids[Math.floor(random() * used)] ?? '';
      attempt(pool, id, 'failure');
      attempt(pool, id, 'success');
    }
  }, turnMs);
  return {
    fleet,
    async end() {
      clearInterval(timer);
      await fleet.close();
      await end();
    },
  };
}

const epochNow = () => performance.timeOrigin + performance.now();

function attempt({ bus }: SimulatedPool, proxyId: string, outcome: 'success' | 'failure'): void {
  bus.emit('attempt:end', {
    requestId: 'r',
    attempt: 0,
    proxyId,
    origin: 'http://target.example',
    outcome,
    blame: outcome === 'success' ? 'none' : 'proxy',
    phase: 'headers',
    statusCode: outcome === 'success' ? 200 : undefined,
    reason: outcome === 'success' ? undefined : 'tcp',
    latencyMs: 50,
    delayBeforeMs: 0,
    hedge: false,
    at: epochNow(),
  });
}
