import { anyString, boolean, check, checkNames, object, strings, type Kind } from '@whirl/check';
import type { SelectContext } from '../strategy.ts';

const ids: Kind = {
  wanted: 'an array or a Set of ids',
  isType: (value) => Array.isArray(value) || value instanceof Set,
};
const names = [
  'exclude',
  'region',
  'strictRegion',
  'prefer',
  'sessionId',
  'target',
  'tags',
] as const satisfies readonly (keyof SelectContext)[];

/** Refuses what `select()` cannot honour: with a misspelt `exclude` a retry would meet the same one. */
export function checkAsk(ask: SelectContext): void {
  if (typeof ask !== 'object' || ask === null) check('options', ask, object);
  // Each pick comes through here: nothing is put together, and no table asked, before something is refused.
  for (const name in ask) checkOption(name, ask[name as keyof SelectContext]);
}

function checkOption(name: string, value: unknown): void {
  switch (name) {
    case 'exclude':
      if (value !== undefined) check(name, value, ids);
      return;
    case 'region':
    case 'prefer':
    case 'sessionId':
    case 'target':
      if (value !== undefined && typeof value !== 'string') check(name, value, anyString);
      return;
    case 'strictRegion':
      if (value !== undefined && typeof value !== 'boolean') check(name, value, boolean);
      return;
    case 'tags':
      if (value !== undefined) check(name, value, strings);
      return;
    default:
      checkNames('', { [name]: true }, names);
  }
}
