import { anyString, boolean, check, checkNames, object, strings, type Kind } from '@whirl/check';
import type { SelectContext } from '../strategy.ts';

const kinds: Readonly<Record<keyof SelectContext, Kind>> = {
  exclude: {
    wanted: 'an array or a Set of ids',
    isType: (value) => Array.isArray(value) || value instanceof Set,
  },
  region: anyString,
  strictRegion: boolean,
  prefer: anyString,
  sessionId: anyString,
  target: anyString,
  tags: strings,
};
const names = Object.keys(kinds);

/** Refuses what `select()` cannot honour: with a misspelt `exclude` a retry would meet the same one. */
export function checkAsk(ask: SelectContext): void {
  if (typeof ask !== 'object' || ask === null) check('options', ask, object);
  // Each pick comes through here: nothing is put together before something is refused.
  for (const name in ask) {
    if (!Object.hasOwn(kinds, name)) checkNames('', { [name]: true }, names);
    const value: unknown = ask[name as keyof SelectContext];
    if (value !== undefined) check(name, value, kinds[name as keyof SelectContext]);
  }
}
