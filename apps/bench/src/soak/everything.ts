import { setTimeout as wait } from 'node:timers/promises';
import { seededRandom } from '@whirl/testkit';
import { printTable } from '../table.ts';
import { startFarSide, type FarSide } from './far-side.ts';
import { sumOf } from './ledger.ts';
import { MemberProcess } from './member-process.ts';
import { outageMs, Store } from './store.ts';
import { sumsOf } from './sums.ts';
import { fleetOf, heapOf, inEach, restOf, storeOf, type Sample } from './verdicts.ts';
import { equal, type Verdict } from './verdict.ts';
import { printWhatHappened } from './what-happened.ts';

export interface SoakOptions {
  readonly seconds: number;
  readonly seed: number;
  /** Members of the fleet; one needs no Redis. */
  readonly processes: number;
  /** Visits that begin in a second, in all processes together. */
  readonly perSecond: number;
  /** Clients of each process. */
  readonly clients: number;
}

/** Between two changes of the proxies and the provider. */
const changeEveryMs = 400;
/** Between two looks at what the members have counted: a hundred in a long run, and no more often than this. */
const sampleEveryMs = 10_000;
const maxSamples = 100;
/** Between two outages of the store. */
const outageEveryMs = 30_000;
/** How long clients go on before the last look, once every proxy and the store work again. */
const healedMs = 5000;
/** Looks at the end, until the fleet has recovered from the last outage. */
const maxLastLooks = 6;
/** How long the servers' sockets may take to close once every member has ended. */
const settleMs = 10_000;

/** Everything that whirl does, under everything that goes wrong. False: something is left, or does not add up. */
export async function soakEverything(options: SoakOptions): Promise<boolean> {
  const random = seededRandom(options.seed);
  const farSide = await startFarSide(random);
  const store = options.processes > 1 ? await Store.start(random) : undefined;
  // Without a store that all reach there is no fleet.
  const processes = store === undefined ? 1 : options.processes;
  const members = Array.from(
    { length: processes },
    (_, i) =>
      new MemberProcess({
        name: `member-${i + 1}`,
        at: farSide.addresses,
        seed: options.seed * 1000 + i,
        clients: options.clients,
        perSecond: options.perSecond / processes,
        redis: store && { port: store.port, pid: store.pid },
      }),
  );
  try {
    return await soak(options, random, { farSide, store, members });
  } finally {
    for (const member of members) member.kill();
    await store?.stop();
    await farSide.close();
  }
}

interface World {
  readonly farSide: FarSide;
  readonly store: Store | undefined;
  readonly members: readonly MemberProcess[];
}

async function soak(
  { seconds, seed }: SoakOptions,
  random: () => number,
  { farSide, store, members }: World,
): Promise<boolean> {
  await Promise.all(members.map((member) => member.ready));
  const startedAt = performance.now();
  const until = startedAt + seconds * 1000;
  const goesOn = () => performance.now() < until;
  const sleep = (ms: number) => wait(Math.max(0, Math.min(ms, until - performance.now())));
  let changes = 0;
  const weather = async () => {
    for (; goesOn(); await sleep(changeEveryMs)) {
      await farSide.change();
      changes++;
    }
  };
  const outages = async () => {
    await sleep(outageEveryMs / 2);
    // The last one is over before the end.
    while (store !== undefined && until - performance.now() > 3 * outageMs) {
      await store.outage();
      for (const member of members) member.tell({ redisPid: store.pid });
      await sleep(outageEveryMs);
    }
  };
  const samples: Sample[] = [];
  const broken: Verdict[] = [];
  /** Looks at all members, and has their sums. */
  const look = async (): Promise<Verdict[]> => {
    const reports = await Promise.all(members.map((member) => member.report()));
    const sums = reports.flatMap((report, i) => sumsOf(`member ${i + 1}`, report));
    broken.push(...sums.filter(({ holds }) => !holds));
    samples.push({ reports, store: await store?.size() });
    sayHowItGoes(samples, broken, (performance.now() - startedAt) / 1000);
    return sums;
  };
  const looking = async () => {
    const everyMs = Math.max(sampleEveryMs, (1000 * seconds) / maxSamples);
    for (await sleep(everyMs); goesOn(); await sleep(everyMs)) {
      await look();
      for (const member of members) member.tell({ command: 'go on' });
    }
  };
  await Promise.all([weather(), outages(), looking()]);
  await farSide.heal();
  const recovered = () =>
    store === undefined ||
    fleetOf(samples.at(-1)?.reports ?? [], store).every(({ holds }) => holds);
  if (store !== undefined) await wait(healedMs);
  let sums = await look();
  for (let looks = 1; looks < maxLastLooks && !recovered(); looks++) {
    for (const member of members) member.tell({ command: 'go on' });
    await wait(healedMs);
    sums = await look();
  }
  const ends = await Promise.all(members.map((member) => member.end()));
  const { reports } = samples.at(-1) as Sample;
  const verdicts: Verdict[] = [
    ...broken,
    ...inEach(sums),
    ...reports.map((_, i) => heapOf(`member ${i + 1}`, i, samples)),
    ...inEach(ends.flatMap((end, i) => restOf(`member ${i + 1}`, end))),
    equal('sockets of targets, proxies and echo at the end', await socketsLeft(farSide), 'none'),
    ...(store === undefined ? [] : [...storeOf(samples), ...inEach(fleetOf(reports, store))]),
  ];
  const minutes = (performance.now() - startedAt) / 60_000;
  printWhatHappened({ minutes, seed, changes, store, samples });
  printTable(
    'what must hold',
    verdicts.map(({ what, value, holds }) => ({ what, value, holds: holds ? 'yes' : 'NO' })),
  );
  return verdicts.every(({ holds }) => holds);
}

/** By server, as words. */
async function socketsLeft(farSide: FarSide): Promise<string> {
  await farSide.closeProvider();
  const closedBy = performance.now() + settleMs;
  while (farSide.openSockets().length > 0 && performance.now() < closedBy) await wait(100);
  return farSide.openSockets().join(', ') || 'none';
}

function sayHowItGoes(samples: readonly Sample[], broken: readonly Verdict[], seconds: number) {
  const { reports } = samples.at(-1) as Sample;
  const requests = reports.reduce((sum, { events }) => sum + sumOf(events.requestsEnded), 0);
  const heaps = reports.map(({ heapBytes }) => (heapBytes / 1e6).toFixed(1)).join(', ');
  const last = broken.at(-1);
  const wrong =
    last === undefined ? '' : `; ${broken.length} WRONG, the last ${last.what}: ${last.value}`;
  console.log(`${seconds.toFixed(0)} s: ${requests} requests, heaps ${heaps} MB${wrong}`);
}
