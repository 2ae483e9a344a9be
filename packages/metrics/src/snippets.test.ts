import { runSnippets } from '@whirl/testkit/readme-snippets';
import { expect, it } from 'vitest';

it(
  'every snippet of the README compiles, runs, and prints what it shows',
  { timeout: 60_000 },
  async () => {
    const runs = await runSnippets(new URL('../README.md', import.meta.url));
    expect(runs.length).toBeGreaterThanOrEqual(5);
    for (const { code, output } of runs) {
      // What a snippet is said to print stands behind its last lines as comments.
      const said = [...code.matchAll(/^\/\/ → (.*)$/gm)].map(([, line]) => line).join('\n');
      expect(output).toBe(said);
    }
  },
);
