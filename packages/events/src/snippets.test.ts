import { runSnippets } from '@whirl/testkit/readme-snippets';
import { expect, it } from 'vitest';

it('every snippet of the README runs and prints what it shows', { timeout: 60_000 }, async () => {
  const runs = await runSnippets(new URL('../README.md', import.meta.url));
  expect(runs.map(({ output }) => output)).toEqual([
    'p7 closed -> open',
    'once 8000\nready { port: 8000 }\nready { port: 8001 }',
    'queued 7\nidle -',
    'tick my own error\nheard 1',
  ]);
});
