import { runSnippets } from '@whirl/testkit/readme-snippets';
import { expect, it } from 'vitest';

it(
  'P3 every snippet of the README runs and prints what it shows',
  { timeout: 60_000 },
  async () => {
    const [run] = await runSnippets(new URL('../README.md', import.meta.url));
    expect(run?.output).toMatch(/^\{\n {2}mode: 'live',.* proxies: 2,.*\}\n3$/s);
  },
);
