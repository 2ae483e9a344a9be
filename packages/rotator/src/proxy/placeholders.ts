import { nearestName } from '@whirl/check';
import { loneSurrogate } from './well-formed.ts';

/**
 * What a user name or a password may leave open, to be filled in for each exit of a provider's gateway. `ttl` is the
 * life of a session in seconds, in whole ones or whole minutes.
 */
export const placeholderNames = [
  ...(['session', 'session:number', 'session:uuid'] as const),
  ...(['region', 'region:upper', 'ttl', 'ttl:minutes'] as const),
] as const;

export type Placeholder = (typeof placeholderNames)[number];

/** What an exit has in their place. */
export interface Filling {
  readonly session: (kind: 'text' | 'number' | 'uuid') => string;
  readonly region: string | undefined;
  /** Milliseconds. */
  readonly ttlMs: number | undefined;
}

/**
 * Inside of the parser a placeholder is one lone surrogate, which no well-formed text holds and no % escape gives: it
 * has no colon to be split at, and what was written as %7B…%7D stays a text.
 */
const firstMark = 0xdc00;
const markOf = new Map<string, string>(
  placeholderNames.map((name, i) => [name, String.fromCharCode(firstMark + i)]),
);
const openMark = '\udc20';
const closeMark = '\udc21';
const colonMark = '\udc22';

const word = /\{([a-z][a-z_]{0,23}(?::[a-z_]{0,23})?)\}/gi;
const marks = /[\udc00-\udc06]/;
const marksInAll = /[\udc00-\udc06]/g;
/** That of a UUID. */
const longestFilling = 36;
const unknownMarks = /\udc20([^\udc21]*)\udc21/g;

/** What a lone surrogate of the text itself becomes, so that it is taken for no mark and refused. */
const illFormed = '\udfff';
const everyLoneSurrogate = /\p{Surrogate}/gu;

/** A text as a caller gives it, without what could be taken for a mark: it is refused as ill-formed still. */
export function withoutForeignMarks(text: string): string {
  return loneSurrogate.test(text) ? text.replace(everyLoneSurrogate, illFormed) : text;
}

/** A text with its placeholders as marks. One that has marks, or is ill-formed, stays as it is. */
export function markPlaceholders(text: string): string {
  if (!text.includes('{') || loneSurrogate.test(text)) return text;
  return text.replace(word, (_, name: string) => {
    const mark = markOf.get(name);
    return mark ?? openMark + name.replace(':', colonMark) + closeMark;
  });
}

export function hasPlaceholders(text: string): boolean {
  return marks.test(text);
}

/** What looks like a placeholder and is none, as it was written between the braces. */
function unknownIn(text: string): string[] {
  if (!text.includes(openMark)) return [];
  return [...text.matchAll(unknownMarks)].map(([, name = '']) => name.replace(colonMark, ':'));
}

interface Credentials {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

/**
 * Why braces cannot be meant as they stand; undefined: they can. In a password they may be its own: such a name is
 * refused where it is nearly a placeholder, or beside one, and is shown only if it is nearly one.
 */
export function whyNoPlaceholders({ username = '', password = '' }: Credentials) {
  const [unknown] = unknownIn(username);
  if (unknown !== undefined) return whyUnknown(unknown, unknown);
  const names = unknownIn(password);
  const meant = names.find((name) => nearestName(name, placeholderNames) !== undefined);
  if (meant !== undefined) return whyUnknown(meant, meant);
  return names[0] !== undefined && (hasPlaceholders(username) || hasPlaceholders(password))
    ? whyUnknown('…', '')
    : undefined;
}

function whyUnknown(shown: string, name: string): string {
  const nearest = nearestName(name, placeholderNames);
  const hint = nearest === undefined ? '' : `: did you mean {${nearest}}?`;
  return (
    `{${shown}} is no placeholder${hint} (known are ${placeholderNames.map((each) => `{${each}}`).join(', ')}; ` +
    'a brace itself is written %7B in a URL)'
  );
}

/** Both without the marks of names that are no placeholders: they are text of a password. */
export function withoutMarks({ username = '', password = '' }: Credentials) {
  return { username, password: password.includes(openMark) ? bracesOf(password) : password };
}

/** A text like the longest that an exit may have in its place. */
export function longestOf(text: string): string {
  return text.replace(marksInAll, 'x'.repeat(longestFilling));
}

/** The text as it was written, for people: placeholders in braces. */
export function asWritten(text: string): string {
  return text.replace(marksInAll, (mark) => `{${placeholderAt(mark)}}`);
}

function bracesOf(text: string): string {
  return text.replaceAll(openMark, '{').replaceAll(closeMark, '}').replaceAll(colonMark, ':');
}

/** The same as a part of a URL, where a brace of a name or a password is escaped. */
export function asWrittenInUrl(text: string): string {
  return text
    .split(/([\udc00-\udc06])/)
    .map((part) => (marks.test(part) ? `{${placeholderAt(part)}}` : encodeURIComponent(part)))
    .join('');
}

export function placeholdersIn(text: string): Set<Placeholder> {
  return new Set(Array.from(text.matchAll(marksInAll), ([mark]) => placeholderAt(mark)));
}

/** The text with the placeholders filled in. */
export function fill(text: string, filling: Filling): string {
  return text.replace(marksInAll, (mark) => valueOf(placeholderAt(mark), filling));
}

function placeholderAt(mark: string): Placeholder {
  return placeholderNames[mark.charCodeAt(0) - firstMark] as Placeholder;
}

function valueOf(name: Placeholder, { session, region = '', ttlMs = 0 }: Filling): string {
  switch (name) {
    case 'session':
      return session('text');
    case 'session:number':
      return session('number');
    case 'session:uuid':
      return session('uuid');
    case 'region':
      return region;
    case 'region:upper':
      return region.toUpperCase();
    case 'ttl':
      return String(Math.max(1, Math.round(ttlMs / 1000)));
    case 'ttl:minutes':
      return String(Math.max(1, Math.round(ttlMs / 60_000)));
  }
}
