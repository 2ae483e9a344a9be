import fs from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { freePort, startProgram, temporaryFolder } from './programs.ts';

const size = 300_000;
const heapMiB = 512;
const server = path.join(import.meta.dirname, '../dist/server.js');

interface Page {
  readonly total: number;
  readonly next_cursor: string | null;
  readonly proxies: readonly { readonly id: string }[];
}

/** The ids of the whole pool, page by page. */
async function walk(base: string, sort: string): Promise<Set<string>> {
  const ids = new Set<string>();
  let cursor: string | null = '';
  while (cursor !== null) {
    const after: string = cursor === '' ? '' : `&cursor=${cursor}`;
    const response = await fetch(`${base}/proxies?limit=10000&sort=${sort}${after}`);
    const page = (await response.json()) as Page;
    expect(page.total).toBe(size);
    for (const { id } of page.proxies) ids.add(id);
    cursor = page.next_cursor;
  }
  return ids;
}

it(
  `A16 ${size} proxies in a heap of ${heapMiB} MiB survive eight listings at once, and a reload`,
  { timeout: 600_000 },
  async () => {
    const file = path.join(temporaryFolder(), 'proxies.txt');
    const write = (password: string) => {
      const line = (i: number) =>
        `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}:8080:user:${password}`;
      fs.writeFileSync(`${file}.new`, Array.from({ length: size }, (_, i) => line(i)).join('\n'));
      fs.renameSync(`${file}.new`, file);
    };
    write('old');
    const port = await freePort();
    const child = await startProgram(
      process.execPath,
      [`--max-old-space-size=${heapMiB}`, server, '--port', `${port}`, '--proxies-file', file],
      port,
    );
    const base = `http://127.0.0.1:${port}/api/v1`;
    // Both directions of the id: sorted by it no row is left out, whatever happens in between.
    const walks = await Promise.all(
      Array.from({ length: 8 }, (_, i) => walk(base, i % 2 === 0 ? 'id' : '-id')),
    );
    expect(walks.map((ids) => ids.size)).toEqual(walks.map(() => size));
    const reloaded = new Promise<void>((resolve) => {
      child.stdout?.on('data', (chunk: Buffer) => {
        if (chunk.includes('loaded again')) resolve();
      });
    });
    write('new');
    const during = walk(base, 'id');
    await reloaded;
    expect((await during).size).toBe(size);
    const circuits = await fetch(`${base}/circuit-breakers?sort=-last_state_change&limit=1`);
    expect(await circuits.json()).toMatchObject({ total: size });
    expect((await fetch(`http://127.0.0.1:${port}/metrics`)).status).toBe(200);
    expect(child.exitCode).toBeNull();
  },
);
