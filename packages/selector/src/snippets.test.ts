import { runSnippets } from '@whirl/testkit/readme-snippets';
import { expect, it } from 'vitest';

it('P3 every snippet of the README compiles, runs and picks something', async () => {
  const runs = await runSnippets(new URL('../README.md', import.meta.url));
  expect(runs.map(({ output }) => output)).toEqual([
    expect.stringContaining('successRate: 1,'),
    "{ id: 'a', reused: false }",
    expect.stringMatching(/^\{ id: '[abc]', reused: false \}$/),
  ]);
}, 60_000);
