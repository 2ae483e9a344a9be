import { runSnippets } from '@whirl/testkit/readme-snippets';
import { expect, test } from 'vitest';

test('P3 every snippet of the README runs and prints what it shows', async () => {
  const runs = await runSnippets(new URL('../README.md', import.meta.url));
  expect(runs.map(({ output }) => output)).toEqual([
    '',
    "[ 2, 2 ]\n[ 'forced_open', 'forced_open' ]",
    '0',
  ]);
}, 60_000);
