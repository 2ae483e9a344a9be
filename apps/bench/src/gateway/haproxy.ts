import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Cost } from './near-side.ts';

export interface Haproxy {
  readonly port: number;
  cost(): Cost;
  stop(): void;
}

/** HAProxy before the upstream proxy in TCP mode: bytes alone, in C, on one thread. Undefined where it is not installed. */
export async function startHaproxy(upstream: number): Promise<Haproxy | undefined> {
  if (spawnSync('haproxy', ['-v']).status !== 0) return undefined;
  const port = await freePort();
  const folder = mkdtempSync(path.join(tmpdir(), 'whirl-haproxy-'));
  const file = path.join(folder, 'haproxy.cfg');
  writeFileSync(
    file,
    [
      'global\n  maxconn 6000\n  nbthread 1',
      'defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 10m\n  timeout server 10m',
      `listen tunnels\n  bind 127.0.0.1:${port}\n  server upstream 127.0.0.1:${upstream}\n`,
    ].join('\n'),
  );
  const child = spawn('haproxy', ['-q', '-db', '-f', file], { stdio: 'ignore' });
  await reachable(port, child);
  return {
    port,
    cost: () => costOf(child.pid as number),
    stop: () => {
      child.kill();
      rmSync(folder, { recursive: true });
    },
  };
}

const ticksPerSecond = 100;
const pageBytes = 4096;

function costOf(pid: number): Cost {
  // Behind the name in parentheses: the state is field 3, the ticks are fields 14 and 15.
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
  const ticks = Number(fields[11]) + Number(fields[12]);
  const pages = Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]);
  return { cpuUs: (ticks / ticksPerSecond) * 1e6, rss: pages * pageBytes };
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function reachable(port: number, child: ChildProcess): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`haproxy ended with ${child.exitCode}`);
    const socket = net.connect({ port, host: '127.0.0.1' });
    try {
      await once(socket, 'connect');
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    } finally {
      socket.destroy();
    }
  }
}
