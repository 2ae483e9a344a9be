// Four workers of node:cluster, one pool: what a proxy that dies costs them, alone and as a fleet. The primary keeps the
// store in its memory, and the workers reach it by messages: a store of one's own. With Redis it is one line.
import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import {
  joinFleet,
  memoryStore,
  type SyncResponse,
  type SyncRequest,
  type FleetStore,
} from '@whirl/fleet';
import { ProxyRotator } from '@whirl/rotator';
import { startProxy, startTarget } from '@whirl/testkit';
import { inTurn, say } from './stage.ts';

/** What workers send: a question to the store, or what they counted. */
type Message = { ask: SyncRequest; call: number } | { wasted: number; failed: number } | 'ready';

const workers = 4;
if (cluster.isPrimary) await direct();
else await work(JSON.parse(process.env['STAGE'] ?? '') as Stage);

interface Stage {
  readonly proxies: readonly string[];
  readonly target: string;
  readonly together: boolean;
}

async function direct(): Promise<void> {
  cluster.setupPrimary({ serialization: 'advanced' });
  const target = await startTarget();
  const wasted: number[] = [];
  for (const together of [false, true]) {
    const proxies = await Promise.all(
      Array.from({ length: 4 }, () => startProxy({ behaviour: { kind: 'ok' } })),
    );
    const stage: Stage = { proxies: proxies.map(({ url }) => url), target: target.url, together };
    const store = memoryStore();
    const team = Array.from({ length: workers }, () =>
      cluster.fork({ STAGE: JSON.stringify(stage) }),
    );
    const counts = team.map((worker) => counted(worker, store));
    await Promise.all(team.map((worker) => once(worker, 'message')));
    await wait(1500);
    await proxies[0]?.close();
    const sums = await Promise.all(counts);
    wasted.push(sums.reduce((sum, each) => sum + each.wasted, 0));
    const failed = sums.reduce((sum, each) => sum + each.failed, 0);
    say(
      `${together ? 'a fleet' : 'alone'}: ${wasted.at(-1)} wasted attempts, ${failed} failed requests`,
    );
    for (const proxy of proxies.slice(1)) await proxy.close();
  }
  say(`fewer: ${(wasted[1] ?? 0) < (wasted[0] ?? 0)}`);
  await target.close();
}

/** Answers a worker's questions to the store until it tells what it counted. */
function counted(worker: Worker, store: FleetStore): Promise<{ wasted: number; failed: number }> {
  return new Promise((resolve) => {
    worker.on('message', (message: Message) => {
      if (message === 'ready') return;
      if ('wasted' in message) resolve(message);
      else {
        const { ask, call } = message;
        void store
          .sync(ask)
          .then((response) => worker.isConnected() && worker.send({ response, call }));
      }
    });
  });
}

/** The store of the primary. */
function storeByMessages(): FleetStore {
  const waiting = new Map<number, (response: SyncResponse) => void>();
  let calls = 0;
  process.on('message', ({ response, call }: { response: SyncResponse; call: number }) => {
    waiting.get(call)?.(response);
    waiting.delete(call);
  });
  return {
    sync: (ask) =>
      new Promise((resolve) => {
        waiting.set(++calls, resolve);
        process.send?.({ ask, call: calls });
      }),
    close() {},
  };
}

async function work({ proxies, target, together }: Stage): Promise<void> {
  const rotator = new ProxyRotator({
    proxies,
    strategy: inTurn(),
    circuitBreaker: { openMs: 60_000 },
  });
  const processId = `worker-${cluster.worker?.id}`;
  const fleet = together
    ? joinFleet({ rotator, pool: 'example', store: storeByMessages(), processId })
    : undefined;
  let [wasted, failed] = [0, 0];
  rotator.bus.on('attempt:end', ({ outcome }) => (wasted += Number(outcome !== 'success')));
  process.send?.('ready');
  for (let i = 0; i < 100; i++) {
    const { statusCode, body } = await rotator.get(target);
    await body.dump();
    failed += Number(statusCode !== 200);
    await wait(50);
  }
  await fleet?.close();
  await rotator.close();
  process.send?.({ wasted, failed });
  process.disconnect();
}
