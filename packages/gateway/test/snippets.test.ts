import { runSnippets } from '@whirl/testkit/readme-snippets';
import { expect, it } from 'vitest';

it('P3 every snippet of the README compiles', async () => {
  const runs = await runSnippets(new URL('../README.md', import.meta.url));
  expect(runs.map(({ runs: ran }) => ran)).toEqual([false]);
}, 60_000);
