import { spawnSync } from 'node:child_process';
import { printTable } from '../table.ts';
import { latency } from './latency.ts';
import { memory } from './memory.ts';
import { redisLoad } from './redis-load.ts';
import { sick } from './sick.ts';
import { wasted } from './wasted.ts';
import { worlds } from './worlds.ts';

type Rows = readonly Record<string, string | number>[];
const parts: Record<string, [title: string, run: () => Promise<Rows>]> = {
  worlds: ['wasted attempts of 8 processes on a virtual clock, median of 11 worlds', worlds],
  wasted: ['8 processes, one of 10 proxies dies, 40 s', wasted],
  sick: ['8 processes, the network of one is dead for 15 s', sick],
  load: [
    '50 processes, 10,000 proxies, 2,500 rows a second: failures, each contradicted',
    redisLoad,
  ],
  memory: ['memory of a process for 10,000 proxies, besides its pool', memory],
  latency: ['a request through one proxy, p99 with a fleet over without', latency],
};

/** Prints what a fleet is worth and what it costs. Needs a redis-server; the arguments name parts. */
export async function run(args: readonly string[]): Promise<void> {
  const unknown = args.find((name) => !(name in parts));
  if (unknown !== undefined) {
    throw new RangeError(`there is no part ${unknown}; known are ${Object.keys(parts).join(', ')}`);
  }
  const needsServer = args.length === 0 || args.some((name) => name !== 'worlds');
  if (needsServer && spawnSync('redis-server', ['--version']).status !== 0) {
    throw new Error('the fleet needs a redis-server: apt-get install redis-server');
  }
  for (const [name, [title, rows]] of Object.entries(parts)) {
    if (args.length === 0 || args.includes(name)) printTable(title, await rows());
  }
}
