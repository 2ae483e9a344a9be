import { matching, withMethods } from '@whirl/check';

/** What lets processes learn together: a rotator, or anything else with `share()`. */
export const rotators = withMethods('a rotator', 'share');

/** Names are parts of keys: braces would move them to another slot. */
export const keyParts = matching(
  'a string of 1 to 200 characters without spaces and braces',
  (name) => name !== '' && name.length <= 200 && !/[{}\s]/.test(name),
);
