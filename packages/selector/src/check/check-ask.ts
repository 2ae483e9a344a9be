import type { SelectContext } from '../strategy.ts';
import { shown } from './validate.ts';

/** Refuses what `select()` cannot honour: with a misspelt `exclude` a retry would meet the same one. */
export function checkAsk(ask: SelectContext): void {
  if (typeof ask !== 'object' || ask === null) {
    throw new TypeError(`select() must be given an object, got ${shown(ask)}`);
  }
  for (const name in ask) {
    const value: unknown = ask[name as keyof SelectContext];
    if (!Object.hasOwn(accepts, name)) {
      const known = Object.keys(accepts).join(', ');
      throw new TypeError(`select() has no option ${name}; known are ${known}`);
    }
    if (value !== undefined && !accepts[name as keyof SelectContext](value)) {
      throw new TypeError(
        `${name} must be ${wanted[name as keyof SelectContext]}, got ${shown(value)}`,
      );
    }
  }
}

const isText = (value: unknown) => typeof value === 'string';

const accepts: Record<keyof SelectContext, (value: unknown) => boolean> = {
  exclude: (value) => Array.isArray(value) || value instanceof Set,
  region: isText,
  strictRegion: (value) => typeof value === 'boolean',
  prefer: isText,
  sessionId: isText,
  target: isText,
  tags: (value) => Array.isArray(value) && value.every(isText),
};

const wanted: Record<keyof SelectContext, string> = {
  exclude: 'an array or a Set of ids',
  region: 'a text',
  strictRegion: 'true or false',
  prefer: 'a text',
  sessionId: 'a text',
  target: 'a text',
  tags: 'an array of texts',
};
