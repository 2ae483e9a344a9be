import { runSnippets } from '@whirl/testkit/readme-snippets';
import { expect, it } from 'vitest';

it('every snippet of the README runs and prints what it shows', { timeout: 60_000 }, async () => {
  const runs = await runSnippets(new URL('../README.md', import.meta.url));
  expect(runs.map(({ output }) => output)).toEqual([
    'attempt 2',
    'response 0',
    '200\nwrong password',
    '1000 2000 4000 8000 30000\n2000 4000 6000 8000 20000\n0 500 2000 2000 2000',
  ]);
});
