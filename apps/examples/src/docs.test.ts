import { startProxy, startTarget } from '@whirl/testkit';
import { extractSnippets, runSnippets } from '@whirl/testkit/readme-snippets';
import { readdirSync, readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const read = (page: string) => readFileSync(path.join(root, page), 'utf8');

const pages = readdirSync(path.join(root, 'docs'), { recursive: true, encoding: 'utf8' })
  .map((name) => path.join('docs', name))
  .filter((page) => page.endsWith('.md') && !page.startsWith(path.join('docs', 'api')))
  .filter((page) => extractSnippets(read(page)).length > 0)
  .sort();

/** Pages whose snippets need more, or are compared with what they should print, and the file that sees to it. */
const runElsewhere: Readonly<Record<string, string>> = {
  'docs/clients.md': 'apps/real-clients/src/recipes.ts',
  'docs/composing.md': 'apps/examples/src/composing.test.ts',
  'docs/lists.md': 'packages/rotator/test/snippets.test.ts',
};

describe('P3 the documentation', () => {
  let target: Awaited<ReturnType<typeof startTarget>>;
  let first: Awaited<ReturnType<typeof startProxy>>;
  let second: Awaited<ReturnType<typeof startProxy>>;
  beforeAll(async () => {
    target = await startTarget();
    first = await startProxy({ username: 'user', password: 'secret' });
    second = await startProxy();
  });
  afterAll(() => Promise.all([target.close(), first.close(), second.close()]));

  /** Runs the snippets of a page where the hosts of its examples are servers on loopback. */
  async function runOnLoopback(page: string) {
    const local = read(page)
      .replaceAll('https://api.example.com', target.origin)
      .replaceAll('proxy1.example.com:8080', `127.0.0.1:${first.port}`)
      .replaceAll('proxy2.example.com:8080', `127.0.0.1:${second.port}`);
    // Beside this package's dependencies, which are the clients that pages import.
    const copy = path.join(import.meta.dirname, '..', `.${page.replaceAll(path.sep, '.')}`);
    await writeFile(copy, local);
    try {
      return await runSnippets(pathToFileURL(copy));
    } finally {
      await rm(copy);
    }
  }

  it.each(pages.filter((page) => !(page in runElsewhere)))(
    'the snippets of %s compile, and run where they can',
    async (page) => {
      for (const { runs, output, line } of await runOnLoopback(page)) {
        if (runs) expect(output, `line ${line} prints`).not.toBe('');
      }
    },
    120_000,
  );

  it.each(Object.entries(runElsewhere))('the snippets of %s are run by %s', (page, test) => {
    expect(pages).toContain(page);
    expect(read(test)).toContain(page);
  });

  it('the snippets of the README run as pasted', async () => {
    const runs = await runSnippets(pathToFileURL(path.join(root, 'README.md')));
    expect(runs.map(({ output }) => output).join('\n')).toMatch(/a row[\s\S]*done at attempt 1/);
  });
});
