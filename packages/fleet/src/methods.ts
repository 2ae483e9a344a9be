import type { BriefKind } from '@whirl/check';

/** An object with these methods. */
export const methods = (what: string, ...names: readonly string[]): BriefKind => [
  `${what} with ${names.join('(), ')}()`,
  (value: Record<string, unknown> | null | undefined) =>
    names.every((name) => typeof value?.[name] === 'function'),
];
