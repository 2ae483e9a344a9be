import { linesOf } from './clean-line.ts';
import { protocolOf, type ProxyProtocol } from './protocols.ts';
import { hasPlace, rowOf } from './record.ts';
import { Refusal } from './refusal.ts';

/** An element of a JSON list. */
export interface JsonEntry {
  readonly value: unknown;
  /** Of an object whose keys are protocols: the key under which it stands. */
  readonly protocol?: ProxyProtocol | undefined;
}

export interface JsonList {
  readonly entries: readonly JsonEntry[];
  /** The line on which an entry begins. */
  readonly lineOf: (index: number) => number;
}

const listKeys = ['proxies', 'data', 'items', 'results', 'list'];
const space = /\s/;

/** Parses, or says on which line the text stops being JSON. The parser's own message may quote a password. */
function parse(text: string): { value: unknown } | Refusal {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch (error) {
    const at = /position (\d+)/.exec((error as Error).message)?.[1];
    const where = at === undefined ? '' : `line ${linesOf(text.slice(0, Number(at))).length}: `;
    const why = 'the list begins like JSON, but is not';
    return new Refusal(why, where + why);
  }
}

/**
 * At which lines the elements of arrays begin: of the outermost one, or of those that are the values of
 * `keys` in the outermost object. The text is known to be valid JSON.
 */
function linesOfElements(text: string, keys: ReadonlySet<string> | undefined): number[] {
  const arrayDepth = keys === undefined ? 1 : 2;
  const lines: number[] = [];
  let line = 1;
  let depth = 0;
  let wanted = keys === undefined;
  let expected = false;
  let key = '';
  for (let i = 0; i < text.length; i++) {
    const c = text[i] as string;
    if (c === '\n' || (c === '\r' && text[i + 1] !== '\n')) {
      line++;
      continue;
    }
    if (expected && c !== ']' && !space.test(c)) lines.push(line);
    if (!space.test(c)) expected = false;
    if (c === '"') {
      const from = i;
      for (i++; text[i] !== '"'; i++) if (text[i] === '\\') i++;
      if (keys !== undefined && depth === 1) key = text.slice(from, i + 1);
    } else if (c === '[' || c === '{') {
      depth++;
      if (keys !== undefined && depth === 2) {
        wanted = c === '[' && keys.has(JSON.parse(key) as string);
      }
      expected = c === '[' && wanted && depth === arrayDepth;
    } else if (c === ']' || c === '}') depth--;
    else if (c === ',') expected = wanted && depth === arrayDepth;
  }
  return lines;
}

/** The lines are worked out when the first is asked for: most lists have nothing to report. */
function lazyLines(text: string, keys?: ReadonlySet<string>): (index: number) => number {
  let lines: number[] | undefined;
  return (index) => (lines ??= linesOfElements(text, keys))[index] ?? 1;
}

/** Names of fields, as far as they cannot be a secret. */
export function namesOf(value: object): string {
  const names = Object.keys(value);
  const plain = names.filter((name) => /^[a-z][a-z_]{0,23}$/i.test(name)).slice(0, 8);
  const others = names.length - plain.length;
  const more = others === 0 ? [] : [`${others} other${others === 1 ? '' : 's'}`];
  const all = [...plain, ...more];
  if (all.length === 0) return 'no keys';
  if (plain.length === 0) return `${others} key${others === 1 ? '' : 's'} that may be secret`;
  const last = all.pop() as string;
  return all.length === 0 ? `the key ${last}` : `the keys ${all.join(', ')} and ${last}`;
}

function fromObject(value: Record<string, unknown>, text: string): JsonList | Refusal {
  if ('outbounds' in value) {
    return new Refusal(
      'this is a configuration of sing-box or Xray: its outbounds are no list of HTTP or SOCKS proxies',
    );
  }
  const keys = Object.keys(value);
  const found = listKeys.filter((key) => Array.isArray(value[key]));
  if (found.length === 1) {
    const key = found[0] as string;
    const list = value[key] as unknown[];
    return {
      entries: list.map((each) => ({ value: each })),
      lineOf: lazyLines(text, new Set([key])),
    };
  }
  const byProtocol = keys.map((key) => ({ protocol: protocolOf(key), list: value[key] }));
  if (byProtocol.every(({ protocol, list }) => protocol !== undefined && Array.isArray(list))) {
    if (keys.length > 0) {
      return {
        entries: byProtocol.flatMap(({ protocol, list }) =>
          (list as unknown[]).map((each) => ({ value: each, protocol })),
        ),
        lineOf: lazyLines(text, new Set(keys)),
      };
    }
  }
  // A list of JSON lines may have a single line. One with whirl's own names is an object in place of a list.
  const own = Object.hasOwn(value, 'url') || Object.hasOwn(value, 'host');
  if (!own && hasPlace(rowOf(value))) return { entries: [{ value }], lineOf: () => 1 };
  return new Refusal(
    `this is a JSON object with ${namesOf(value)}: a list is an array, or an object with one array named ${listKeys.join(', ')}, or with an array for each protocol`,
  );
}

/** Understands an array, or an object that holds the list in one of the usual ways. */
export function readJson(text: string): JsonList | Refusal {
  const parsed = parse(text);
  if (parsed instanceof Refusal) return parsed;
  const { value } = parsed;
  if (Array.isArray(value)) {
    return { entries: value.map((each) => ({ value: each as unknown })), lineOf: lazyLines(text) };
  }
  return fromObject(value as Record<string, unknown>, text);
}

/** Whether a text is one JSON object a line. */
export function isJsonLines(lines: readonly string[]): boolean {
  let objects = 0;
  for (const line of lines) {
    const text = line.trim();
    if (text === '') continue;
    if (!text.startsWith('{') || (objects === 0 && !text.endsWith('}'))) return false;
    if (++objects === 2) return true;
  }
  return false;
}

/** A line of JSON lines. */
export function readJsonLine(line: string): JsonEntry | Refusal {
  try {
    return { value: JSON.parse(line) as unknown };
  } catch {
    return new Refusal('it is not JSON, as the lines before it are', 'a line that is not JSON');
  }
}
