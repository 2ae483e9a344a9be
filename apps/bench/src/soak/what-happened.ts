import { printTable } from '../table.ts';
import { sumOf } from './ledger.ts';
import type { Store } from './store.ts';
import type { Report } from './member.ts';
import { kinds, leftName } from './traffic.ts';
import { warm, type Sample } from './verdicts.ts';

export interface WhatHappened {
  readonly minutes: number;
  readonly seed: number;
  readonly changes: number;
  readonly store: Store | undefined;
  readonly samples: readonly Sample[];
}

/** What clients did, and what the members went through: to be read, not judged. */
export function printWhatHappened({ minutes, seed, changes, store, samples }: WhatHappened): void {
  const { reports } = samples.at(-1) as Sample;
  const total = (of: (report: Report) => number) =>
    reports.reduce((sum, each) => sum + of(each), 0);
  printTable(
    'what the clients did',
    kinds.map(({ name }) => {
      const of = (kind: string, what: 'issued' | 'succeeded' | 'failed' | 'aborted') =>
        total(({ clients }) => clients[kind]?.[what] ?? 0);
      return {
        kind: name,
        issued: of(name, 'issued'),
        succeeded: of(name, 'succeeded'),
        failed: of(name, 'failed'),
        'to be left': of(leftName(name), 'issued'),
        'left in time': of(leftName(name), 'aborted'),
      };
    }),
  );
  const aborted = (phases: readonly string[]) =>
    total(({ events }) => phases.reduce((n, p) => n + (events.abortedIn[p as 'tcp'] ?? 0), 0));
  const heaps = warm(samples).map(({ reports: all }) => all.map(({ heapBytes }) => heapBytes));
  const mb = (bytes: readonly number[] = []) =>
    bytes.map((each) => (each / 1e6).toFixed(1)).join(', ');
  printTable(
    `soak: everything, ${minutes.toFixed(1)} min, seed ${seed}, ${reports.length} processes; ${inWords(store)}`,
    [
      { what: 'requests', value: total(({ events }) => sumOf(events.requestsEnded)) },
      { what: 'attempts', value: total(({ events }) => sumOf(events.attemptsEnded)) },
      { what: 'hedges', value: total(({ events }) => events.hedges) },
      { what: 'connections through proxies', value: total(({ events }) => events.connections) },
      {
        what: 'attempts aborted while connecting',
        value: aborted(['dns', 'tcp', 'tls_proxy', 'socks', 'connect', 'tls_target']),
      },
      { what: 'attempts aborted before the headers', value: aborted(['headers']) },
      { what: 'attempts aborted within the body', value: aborted(['body']) },
      {
        what: 'visits to the gateway completed',
        value: total(({ gatewayClients }) => gatewayClients.completed),
      },
      { what: 'left by their clients', value: total(({ gatewayClients }) => gatewayClients.left) },
      { what: 'torn in the middle', value: total(({ gatewayClients }) => gatewayClients.torn) },
      {
        what: 'failed before the first byte',
        value: total(({ gatewayClients }) => gatewayClients.failed),
      },
      {
        what: 'in absolute form without a 200',
        value: total(({ gatewayClients }) => gatewayClients.refused),
      },
      {
        what: 'MB through tunnels of the gateway',
        value: Math.round(total(({ gateway }) => gateway.bytesUp + gateway.bytesDown) / 1e6),
      },
      { what: 'proxies that fell ill or healed', value: changes },
      { what: 'changes of the pool', value: total(({ reloads }) => reloads) },
      { what: 'circuits opened', value: total(({ events }) => events.circuitsOpened) },
      { what: 'bans', value: total(({ events }) => events.bans) },
      { what: 'exits with a new session', value: total(({ events }) => events.renewals) },
      { what: 'health checks', value: total(({ events }) => events.healthChecks) },
      { what: 'store away, and back', value: total(({ events }) => events.fleet.recovered) },
      { what: 'heaps after the first third, MB', value: mb(heaps[0]) },
      { what: 'heaps at the end, MB', value: mb(heaps.at(-1)) },
      { what: 'RSS at the end, MB', value: mb(reports.map(({ rssBytes }) => rssBytes)) },
      {
        what: 'CPU of the members, % of a core',
        value: Math.round((100 * total(({ cpuSeconds }) => cpuSeconds)) / (minutes * 60)),
      },
    ],
  );
}

function inWords(store: Store | undefined): string {
  if (store === undefined) return 'no Redis: one process, with a store of its own';
  return `Redis, restarted ${store.restarts} times and paused ${store.pauses} times`;
}
