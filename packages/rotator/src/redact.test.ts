import { expect, it } from 'vitest';
import { redact } from './redact.ts';

it('redact hides whatever could be a password in a URL', () => {
  expect(redact('http://ann:hunter2@h:80/x')).toBe('http://***@h:80');
  expect(redact('h:80:ann:hunter2')).toBe('h:***');
  expect(redact('h:99999')).toBe('h:99999');
});
