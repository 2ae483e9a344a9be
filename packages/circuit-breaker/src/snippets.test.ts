import { runSnippets } from '@whirl/testkit/readme-snippets';
import { expect, test } from 'vitest';

test('P3 every snippet of the README runs and prints what it shows', async () => {
  const runs = await runSnippets(new URL('../README.md', import.meta.url));
  expect(runs.map(({ output }) => output)).toEqual([
    'results for whirl',
    'closed',
    "a.example: closed to open, custom\n[ 'a.example' ]",
    [
      'open failures',
      'TimeoutError',
      'TimeoutError: did not end within 20 ms',
      '{ successes: 0, failures: 2, ignored: 0, refused: 1 }',
    ].join('\n'),
    'open',
  ]);
}, 60_000);
