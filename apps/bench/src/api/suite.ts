import type { ChildProcess } from 'node:child_process';
import net from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { median, quantile } from '../measure.ts';
import { printTable } from '../table.ts';
import type { FleetAddresses } from './fleet.ts';
import { measureImports } from './imports.ts';
import type { Done, Job } from './load.ts';
import { message, serve, start } from './served.ts';

const mebibytes = (bytes: number) => Number((bytes / 1024 / 1024).toFixed(1));

/** What a job costs this process, which is the server. */
async function measure(load: ChildProcess, job: Job) {
  const delay = monitorEventLoopDelay({ resolution: 5 });
  const cpu = process.cpuUsage();
  delay.enable();
  load.send(job);
  const done = await message<Done>(load);
  delay.disable();
  const { user, system } = process.cpuUsage(cpu);
  return { done, delay, cpuUsPerRequest: (user + system) / done.requests };
}

/** 200 concurrent requests through a flaky fleet. */
async function underLoad(load: ChildProcess, fleet: FleetAddresses, seconds: number) {
  const served = await serve([...fleet.good, ...fleet.flaky]);
  const job = { address: served.address, target: fleet.target, concurrency: 200 };
  await measure(load, { ...job, seconds: Math.min(10, seconds) });
  globalThis.gc?.();
  const before = process.memoryUsage();
  const { done, delay, cpuUsPerRequest } = await measure(load, { ...job, seconds });
  globalThis.gc?.();
  const after = process.memoryUsage();
  await served.close();
  printTable(`200 concurrent POST /request for ${seconds} s, half of the eight proxies flaky`, [
    { figure: 'requests', value: done.requests },
    { figure: 'requests per second', value: done.requests / seconds },
    { figure: 'answers by status', value: JSON.stringify(done.statuses) },
    { figure: '5xx that the fleet does not explain', value: done.unexplained.length },
    { figure: 'latency p50, ms', value: quantile(done.latenciesMs, 0.5) },
    { figure: 'latency p99, ms', value: quantile(done.latenciesMs, 0.99) },
    { figure: 'event loop delay p99 beyond its 5 ms, ms', value: delay.percentile(99) / 1e6 - 5 },
    { figure: 'server CPU per request, µs', value: cpuUsPerRequest },
    { figure: 'heap after warm-up, MiB', value: mebibytes(before.heapUsed) },
    { figure: 'heap at the end, MiB', value: mebibytes(after.heapUsed) },
    { figure: 'RSS after warm-up, MiB', value: mebibytes(before.rss) },
    { figure: 'RSS at the end, MiB', value: mebibytes(after.rss) },
  ]);
  for (const text of done.unexplained) console.log(`unexplained: ${text}`);
}

/** Opens a stream and never reads it. */
function openDeafStream(address: string): net.Socket {
  const { hostname, port } = new URL(address);
  const socket = net.connect(Number(port), hostname);
  socket.pause();
  socket.on('error', () => {});
  socket.write('GET /api/v1/events HTTP/1.1\r\nhost: localhost\r\n\r\n');
  return socket;
}

/** The same rate of requests with and without 100 event streams, one of which is not read. */
async function withStreams(load: ChildProcess, fleet: FleetAddresses, seconds: number) {
  const served = await serve(fleet.good);
  const job = {
    address: served.address,
    target: fleet.target,
    concurrency: 50,
    rate: 300,
    seconds,
  };
  await measure(load, { ...job, seconds: 3 });
  const rounds = { none: [] as Figures[], streams: [] as Figures[] };
  let eventBytes = 0;
  for (let round = 0; round < 3; round++) {
    rounds.none.push(figuresOf(await measure(load, job)));
    const deaf = openDeafStream(served.address);
    const result = await measure(load, { ...job, streams: 99 });
    deaf.destroy();
    eventBytes += result.done.eventBytes;
    rounds.streams.push(figuresOf(result));
  }
  await served.close();
  const rows = (['p50', 'p95', 'p99', 'delay', 'cpu'] as const).map((name) => {
    const none = median(rounds.none.map((each) => each[name]));
    const streams = median(rounds.streams.map((each) => each[name]));
    return { figure: labels[name], none, streams, ratio: streams / none };
  });
  printTable(`300 POST /request per second: no event streams, and 100 (one not read)`, rows);
  console.log(`events received: ${mebibytes(eventBytes)} MiB over 3 rounds of ${seconds} s`);
}

type Figures = Record<keyof typeof labels, number>;
const labels = {
  p50: 'latency p50, ms',
  p95: 'latency p95, ms',
  p99: 'latency p99, ms',
  delay: 'event loop delay p99 beyond its 5 ms, ms',
  cpu: 'server CPU per request, µs',
};

function figuresOf({ done, delay, cpuUsPerRequest }: Awaited<ReturnType<typeof measure>>): Figures {
  return {
    p50: quantile(done.latenciesMs, 0.5),
    p95: quantile(done.latenciesMs, 0.95),
    p99: quantile(done.latenciesMs, 0.99),
    delay: delay.percentile(99) / 1e6 - 5,
    cpu: cpuUsPerRequest,
  };
}

/**
 * `npm run bench api [seconds of load, default 60] [seconds a round of streams, default 5]`, or
 * `npm run bench api imports`.
 */
export async function run([
  loadSeconds = '60',
  streamSeconds = '5',
]: readonly string[]): Promise<void> {
  if (loadSeconds === 'imports') return measureImports();
  const fleetProcess = start('./fleet.ts');
  const fleet = await message<FleetAddresses>(fleetProcess);
  const load = start('./load.ts');
  try {
    await withStreams(load, fleet, Number(streamSeconds));
    await underLoad(load, fleet, Number(loadSeconds));
  } finally {
    load.disconnect();
    fleetProcess.disconnect();
  }
}
