import { fork } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { fileURLToPath } from 'node:url';
import { seededRandom, startProxy, startTarget, type Behaviour } from '@whirl/testkit';
import { printTable } from '../table.ts';
import { ask, visit, type Visits } from './clients.ts';
import type { SoakOptions } from './everything.ts';
import type { Holding } from './gateway-process.ts';
import { slopeOf } from './slope.ts';

const clients = 64;
const proxyCount = 12;
/** So many work at every moment. */
const alwaysGood = 4;
const changeEveryMs = 400;
const sampleEveryMs = 5000;
/** What is left of the heap's growth once caches, pools and compiled code have settled. */
const maxSlopeKibPerMinute = 256;
/** How long sockets may take to close once the last client has gone. */
const settleMs = 10_000;

const waysToFail: readonly Behaviour[] = [
  { kind: 'refuse' },
  { kind: 'close' },
  { kind: 'reset' },
  { kind: 'hang' },
  { kind: 'garbage' },
  { kind: 'status', statusCode: 502 },
  { kind: 'status', statusCode: 503, retryAfter: '1' },
  { kind: 'close-after-connect' },
  { kind: 'silent-after-connect' },
  { kind: 'plain-after-connect' },
  { kind: 'cut-body', afterBytes: 20_000 },
];

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** 64 clients, half of them leaving, before a gateway whose proxies die and heal. False: something is left, or wrong. */
export async function soakGateway({
  seconds,
  seed,
}: Pick<SoakOptions, 'seconds' | 'seed'>): Promise<boolean> {
  const random = seededRandom(seed);
  const page = await startTarget();
  const echoes = new Set<net.Socket>();
  const echo = net.createServer({ noDelay: true }, (socket) => {
    echoes.add(socket.on('error', () => {}).on('close', () => echoes.delete(socket)));
    socket.pipe(socket);
  });
  echo.listen(0, '127.0.0.1', 1024);
  await once(echo, 'listening');
  const proxies = await Promise.all(Array.from({ length: proxyCount }, () => startProxy()));
  const child = fork(
    fileURLToPath(new URL('./gateway-process.ts', import.meta.url)),
    proxies.map(({ url }) => url),
    { execArgv: [...process.execArgv, '--expose-gc'] },
  );
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  const holding = async () => {
    child.send('holding');
    return ((await once(child, 'message')) as [Holding])[0];
  };

  const visits: Visits = { completed: 0, left: 0, torn: 0, failed: 0, refused: 0, wrong: 0 };
  const bytes = { sent: 0, received: 0 };
  const until = performance.now() + seconds * 1000;
  const goesOn = () => performance.now() < until;
  const target = (echo.address() as net.AddressInfo).port;
  const client = async () => {
    while (goesOn()) {
      if (random() < 0.2) await ask({ gateway: port, target: page.port, random, bytes }, visits);
      else await visit({ gateway: port, target, random, bytes }, visits);
    }
  };
  let changes = 0;
  const weather = async () => {
    const good = new Set(proxies);
    while (goesOn()) {
      const proxy = proxies[Math.floor(random() * proxyCount)] as (typeof proxies)[number];
      const way = waysToFail[Math.floor(random() * waysToFail.length)] as Behaviour;
      if (good.size > alwaysGood && good.delete(proxy)) await proxy.behave(way);
      else if (!good.has(proxy)) await proxy.behave({ kind: 'ok' }).then(() => good.add(proxy));
      changes++;
      await pause(changeEveryMs);
    }
    for (const proxy of proxies) await proxy.behave({ kind: 'ok' });
  };
  const samples: { readonly minutes: number; readonly held: Holding }[] = [];
  const startedAt = performance.now();
  const sampling = async () => {
    while (goesOn()) {
      await pause(Math.min(sampleEveryMs, Math.max(0, until - performance.now())));
      const minutes = (performance.now() - startedAt) / 60_000;
      samples.push({ minutes, held: await holding() });
    }
  };
  await Promise.all([weather(), sampling(), ...Array.from({ length: clients }, client)]);

  let end = await holding();
  const closedBy = performance.now() + settleMs;
  const open = () =>
    end.sockets +
    echoes.size +
    page.openSockets() +
    proxies.reduce((n, p) => n + p.openSockets(), 0);
  while (open() > 0 && performance.now() < closedBy) {
    await pause(100);
    end = await holding();
  }
  const { counts, stats } = end;
  const settled = samples.slice(Math.floor(samples.length / 3));
  const slope = slopeOf(settled.map(({ minutes, held }) => [minutes, held.heapBytes / 1024]));
  const checks: readonly (readonly [string, boolean, string])[] = [
    ['bytes that came back differently', visits.wrong === 0, String(visits.wrong)],
    ['open sockets at the end', open() === 0, String(open())],
    ['connections, tunnels, requests open', held(end) === 0, String(held(end))],
    equal(
      'requests begun = ended = measured',
      counts.requestsBegun,
      counts.requestsEnded,
      end.measured,
    ),
    equal('attempts begun = ended', counts.attemptsBegun, counts.attemptsEnded),
    equal('tunnels opened = closed', counts.tunnelsOpened, counts.tunnelsClosed),
    equal('tunnels failed, told by the gateway', counts.tunnelsFailed, stats.failed),
    equal(
      'requests = tunnels opened + failed + left + absolute',
      counts.requestsBegun,
      counts.tunnelsOpened + counts.tunnelsFailed + counts.tunnelsLeft + stats.requests,
    ),
    [
      'heap, KiB a minute',
      Math.abs(slope) <= maxSlopeKibPerMinute || samples.length < 12,
      slope.toFixed(0),
    ],
  ];
  const memory = (of: (held: Holding) => number) =>
    settled.map(({ held: each }) => of(each) / 1024 / 1024).map((mib) => mib.toFixed(1));
  const first = (values: readonly string[]) => `${values[0]} → ${values.at(-1)}`;
  printTable(
    `soak: gateway, ${seconds} s, ${clients} clients, ${changes} changes of ${proxyCount} proxies`,
    [
      { what: 'visits completed', value: visits.completed },
      { what: 'left by the client', value: visits.left },
      { what: 'torn in the middle', value: visits.torn },
      { what: 'tunnels failed before the first byte', value: visits.failed },
      { what: 'requests in absolute form without a 200', value: visits.refused },
      { what: 'attempts', value: counts.attemptsBegun },
      { what: 'proxies passed unseen', value: stats.failovers },
      { what: 'MiB up, down', value: `${mib(stats.bytesUp)}, ${mib(stats.bytesDown)}` },
      { what: 'heap MiB, from the first third on', value: first(memory((each) => each.heapBytes)) },
      { what: 'RSS MiB, from the first third on', value: first(memory((each) => each.rssBytes)) },
    ],
  );
  printTable(
    'what must hold',
    checks.map(([what, holds, value]) => ({ what, value, holds: holds ? 'yes' : 'NO' })),
  );
  child.disconnect();
  echo.close();
  await Promise.all([page.close(), ...proxies.map((proxy) => proxy.close())]);
  return checks.every(([, holds]) => holds);
}

function held({ requestsInFlight, stats }: Holding): number {
  return requestsInFlight + stats.connections + stats.openTunnels;
}

function equal(what: string, ...counts: readonly number[]): readonly [string, boolean, string] {
  return [what, counts.every((count) => count === counts[0]), counts.join(' = ')];
}

function mib(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(0);
}
