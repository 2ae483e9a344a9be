import { readFile, rm, writeFile } from 'node:fs/promises';
import { startProxy, startTarget } from '@whirl/testkit';
import { runSnippets } from '@whirl/testkit/readme-snippets';
import { expect, it } from 'vitest';
import { use } from './support/rig.ts';

it('every snippet of the README runs, against proxies and a target on loopback', async () => {
  const target = use(await startTarget());
  const first = use(await startProxy({ username: 'user', password: 'secret' }));
  const second = use(await startProxy());
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  const local = readme
    .replaceAll('https://api.example.com', target.origin)
    .replaceAll('proxy1.example.com:8080', `127.0.0.1:${first.port}`)
    .replaceAll('proxy2.example.com:8080', `127.0.0.1:${second.port}`);
  const copy = new URL('../.readme-on-loopback.md', import.meta.url);
  await writeFile(copy, local);
  try {
    const runs = await runSnippets(copy);
    expect(runs.map(({ runs: ran }) => ran)).toEqual(Array(runs.length).fill(true));
    expect(runs[0]?.output).toContain('200 { ok: true');
  } finally {
    await rm(copy);
  }
}, 120_000);

it('the snippet of "Your list" runs', async () => {
  const runs = await runSnippets(new URL('../../../docs/lists.md', import.meta.url));
  expect(runs.map(({ output }) => output.trim())).toEqual([
    "[ 'socks5://192.0.2.1:8080 DE', 'socks5://192.0.2.2:8080 FR' ] 1",
  ]);
}, 120_000);
