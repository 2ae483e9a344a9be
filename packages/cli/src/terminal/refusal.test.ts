import { expect, it } from 'vitest';
import { refusalOf } from './refusal.ts';

it.each([
  [
    "error: option '-n, --requests <number>' argument '0' is invalid. It must be an integer from 1 to 9.\n",
    'whirl: --requests must be an integer from 1 to 9, got "0"\n',
  ],
  [
    "error: option '-u, --url <url>' argument 'http://ann:hunter2@h/' is invalid. It must not hold credentials.\n",
    'whirl: --url must not hold credentials, got a string\n',
  ],
  [
    "error: option '--log-level <level>' value 'loud' from env 'WHIRL_LOG_LEVEL' is invalid. Allowed choices are info, warn.\n",
    'whirl: WHIRL_LOG_LEVEL must be "info" or "warn", got "loud"\n',
  ],
  [
    "error: command-argument value 'a' is invalid for argument 'url'. It must begin with http:// or https://.\n",
    'whirl: <url> must begin with http:// or https://, got "a"\n',
  ],
  [
    "error: unknown option '--ulr'\n(Did you mean --url?)\n",
    "whirl: unknown option '--ulr'\n(Did you mean --url?)\n",
  ],
  [
    "error: unknown command 'chek'\n(Did you mean check?)\n",
    "whirl: unknown command 'chek'\n(Did you mean check?)\n",
  ],
  ["error: unknown command 'http://ann:hunter2@h/'\n", 'whirl: unknown command\n'],
])('%s', (text, said) => {
  expect(refusalOf(text)).toBe(said);
});
