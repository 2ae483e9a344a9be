import { readFileSync } from 'node:fs';
import { validate } from 'dockerfile-utils';
import { expect, it } from 'vitest';

it('the Dockerfile of the API has no fault that a linter can find', () => {
  const text = readFileSync(new URL('../../api/Dockerfile', import.meta.url), 'utf8');
  expect(validate(text)).toEqual([]);
  expect(validate(`${text}\nRUNN nothing\n`)).toHaveLength(1);
});
