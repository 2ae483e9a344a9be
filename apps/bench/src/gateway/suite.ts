import { fork, type ChildProcess } from 'node:child_process';
import net from 'node:net';
import { fileURLToPath } from 'node:url';
import { median } from '../measure.ts';
import { printTable } from '../table.ts';
import { startHaproxy } from './haproxy.ts';
import type { Cost, Kind } from './near-side.ts';

const nodeKinds: readonly Kind[] = ['pipe', 'whirl', 'proxy-chain'];
const rounds = 7;
const tunnelsPerRound = 1500;
const concurrency = 32;
/** One at a time, so that it is the time of the way and not of a queue. */
const dialsPerRound = 300;
const requests = 20_000;
const mebibytes = 512;
const idleTunnels = 5000;

const start = (name: string, ...args: string[]) =>
  fork(fileURLToPath(new URL(name, import.meta.url)), args, {
    execArgv: [...process.execArgv, '--expose-gc'],
  });
const told = <Message>(child: ChildProcess) =>
  new Promise<Message>((resolve, reject) => {
    const onExit = (code: number | null) => reject(new Error(`a child ended with ${code}`));
    child.once('exit', onExit).once('message', (value) => {
      child.off('exit', onExit);
      resolve(value as Message);
    });
  });

interface Near {
  readonly kind: string;
  readonly port: number;
  cost(): Promise<Cost>;
  stop(): void;
}

async function startNode(kind: Kind, upstream: number): Promise<Near> {
  const child = start('./near-side.ts', kind, String(upstream));
  const { port } = await told<{ port: number }>(child);
  return {
    kind,
    port,
    cost: () => {
      child.send('cost');
      return told<Cost>(child);
    },
    stop: () => child.disconnect(),
  };
}

async function startNears(upstream: number): Promise<readonly Near[]> {
  const nears = await Promise.all(nodeKinds.map((kind) => startNode(kind, upstream)));
  const haproxy = await startHaproxy(upstream);
  if (haproxy === undefined) return nears;
  const cost = () => Promise.resolve(haproxy.cost());
  return [...nears, { kind: 'haproxy', port: haproxy.port, cost, stop: () => haproxy.stop() }];
}

/** A tunnel whose first byte has come back: milliseconds from the dial to it. */
function open(port: number, target: number): Promise<{ socket: net.Socket; ms: number }> {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true });
    let granted = false;
    socket.write(`CONNECT 127.0.0.1:${target} HTTP/1.1\r\nHost: 127.0.0.1:${target}\r\n\r\n`);
    const onData = () => {
      if (!granted) {
        granted = true;
        socket.write('x');
        return;
      }
      socket.off('data', onData);
      resolve({ socket, ms: performance.now() - startedAt });
    };
    socket.on('data', onData).on('error', reject);
  });
}

async function newTunnels(near: Near, target: number, count: number, atOnce: number) {
  const before = await near.cost();
  const startedAt = performance.now();
  const waits: number[] = [];
  let left = count;
  const client = async () => {
    while (left-- > 0) {
      const { socket, ms } = await open(near.port, target);
      waits.push(ms);
      socket.destroy();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, client));
  const seconds = (performance.now() - startedAt) / 1000;
  const { cpuUs } = await near.cost();
  return {
    perSecond: count / seconds,
    cpuUs: (cpuUs - before.cpuUs) / count,
    firstByteMs: median(waits),
  };
}

/** CPU of one small request and its response within a tunnel. */
async function smallRequests(near: Near, target: number): Promise<number> {
  const { socket } = await open(near.port, target);
  const before = await near.cost();
  let left = requests;
  await new Promise<void>((resolve) => {
    socket.on('data', () => {
      if (--left === 0) resolve();
      else socket.write('x');
    });
    socket.write('x');
  });
  const { cpuUs } = await near.cost();
  socket.destroy();
  return (cpuUs - before.cpuUs) / requests;
}

/** CPU of a GiB to the client. */
async function bulk(near: Near, target: number): Promise<number> {
  const { socket } = await open(near.port, target);
  const before = await near.cost();
  let left = mebibytes * 1024 * 1024;
  await new Promise<void>((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      left -= chunk.length;
      if (left <= 0) resolve();
      else if (left % (1024 * 1024) < chunk.length) socket.write('m');
    });
    socket.write('mmmm');
    for (let i = 0; i < mebibytes; i += 64) socket.write('m'.repeat(64));
  });
  const { cpuUs } = await near.cost();
  socket.destroy();
  return ((cpuUs - before.cpuUs) * 1024) / mebibytes / 1000;
}

async function idleMemory(near: Near, target: number): Promise<number> {
  const before = await near.cost();
  const sockets: net.Socket[] = [];
  while (sockets.length < idleTunnels) {
    const opened = await Promise.all(Array.from({ length: 50 }, () => open(near.port, target)));
    sockets.push(...opened.map(({ socket }) => socket));
  }
  const { rss } = await near.cost();
  for (const socket of sockets) socket.destroy();
  return (rss - before.rss) / idleTunnels / 1024;
}

/** Prints what a tunnel costs through the gateway, beside proxy-chain and the least that Node can do. */
export async function run(): Promise<void> {
  const far = start('./far-side.ts');
  const { target, proxy } = await told<{ target: number; proxy: number }>(far);
  const nears = await startNears(proxy);
  const kinds = nears.map(({ kind }) => kind);
  const samples = new Map(
    kinds.map((kind) => [kind, [] as Awaited<ReturnType<typeof newTunnels>>[]]),
  );
  for (let round = -1; round < rounds; round++) {
    for (const near of nears) {
      const { perSecond, cpuUs } = await newTunnels(near, target, tunnelsPerRound, concurrency);
      const { firstByteMs } = await newTunnels(near, target, dialsPerRound, 1);
      if (round >= 0) samples.get(near.kind)?.push({ perSecond, cpuUs, firstByteMs });
    }
  }
  const of = (kind: string, field: 'perSecond' | 'cpuUs' | 'firstByteMs') =>
    (samples.get(kind) ?? []).map((sample) => sample[field]);
  // A noisy moment of the machine meets all kinds of a round: quotients are taken within it.
  const ratio = (kind: string, field: 'perSecond' | 'cpuUs' | 'firstByteMs') =>
    median(of(kind, field).map((value, i) => value / (of('pipe', field)[i] as number)));
  printTable(
    `new tunnels, ${concurrency} at a time, median of ${rounds} rounds`,
    kinds.map((kind) => ({
      server: kind,
      'tunnels/s': median(of(kind, 'perSecond')),
      'of pipe': ratio(kind, 'perSecond'),
      'CPU µs': median(of(kind, 'cpuUs')),
      '× pipe': ratio(kind, 'cpuUs'),
      'first byte ms, alone': median(of(kind, 'firstByteMs')),
      '× pipe ': ratio(kind, 'firstByteMs'),
    })),
  );
  const rows: Record<string, string | number>[] = [];
  for (const near of nears) {
    const memory = await idleMemory(near, target);
    const small: number[] = [];
    const large: number[] = [];
    for (let i = 0; i < 3; i++) {
      small.push(await smallRequests(near, target));
      large.push(await bulk(near, target));
    }
    rows.push({
      server: near.kind,
      'CPU µs per small request': median(small),
      'CPU ms per GiB': median(large),
      'KiB per idle tunnel': memory,
    });
  }
  printTable('in a tunnel', rows);
  for (const near of nears) near.stop();
  far.disconnect();
}
