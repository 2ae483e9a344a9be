import type { Lines } from './lines.ts';
import { JsonScanner, JsonSyntaxError } from './json-scanner.ts';
import { protocolOf, type ProxyProtocol } from './protocols.ts';
import { hasPlace, rowOf } from './record.ts';
import { Refusal, wholeList } from './refusal.ts';
import type { Steps } from '../steps.ts';

/** An entry of a JSON list. */
export interface JsonEntry {
  readonly value: unknown;
  /** The line on which it begins. */
  readonly line: number;
  /** Of an object whose keys are protocols: the key under which it stands. */
  readonly protocol?: ProxyProtocol | undefined;
}

/** Entries as they are read; undefined: a step without one. */
type Entries = Generator<JsonEntry | undefined, void, undefined>;

/** A member of the outermost object. */
interface JsonMember {
  readonly isArray: boolean;
  /** Where its value begins. */
  readonly at: number;
  readonly line: number;
}

const listKeys = ['proxies', 'data', 'items', 'results', 'list'];

/** Longer than any proxy. What is longer is not parsed: that would take long in one go. */
const maxEntryLength = 65_536;

const tooLong = new Refusal('it is longer than 65,536 characters');

/** Names of fields, as far as they cannot be a secret. */
export function namesOf(names: readonly string[]): string {
  const plain = names.filter((name) => /^[a-z][a-z_]{0,23}$/i.test(name)).slice(0, 8);
  const others = names.length - plain.length;
  const more = others === 0 ? [] : [`${others} other${others === 1 ? '' : 's'}`];
  const all = [...plain, ...more];
  if (all.length === 0) return 'no keys';
  if (plain.length === 0) return `${others} key${others === 1 ? '' : 's'} that may be secret`;
  const last = all.pop() as string;
  return all.length === 0 ? `the key ${last}` : `the keys ${all.join(', ')} and ${last}`;
}

/** The elements of the array at which the scanner stands. */
function* elements(scanner: JsonScanner, text: string, protocol?: ProxyProtocol): Entries {
  scanner.expect('[');
  if (scanner.take(']')) return;
  do {
    scanner.peek();
    const { at, line } = scanner;
    yield* scanner.skip();
    yield { value: parse(text.slice(at, scanner.at), line), line, protocol };
  } while (scanner.more(']'));
}

/** A value, a refusal of one that is too long, or a throw of `JsonSyntaxError`. */
function parse(json: string, line: number): unknown {
  if (json.length > maxEntryLength) return tooLong;
  try {
    return JSON.parse(json) as unknown;
  } catch {
    // Its own message may quote a password.
    throw new JsonSyntaxError(line);
  }
}

/** The members of the outermost object, by key; of equal keys the last one counts. */
function* members(scanner: JsonScanner): Steps<Map<string, JsonMember>> {
  const found = new Map<string, JsonMember>();
  scanner.expect('{');
  if (scanner.take('}')) return found;
  do {
    const key = parse(scanner.key(), scanner.line);
    const isArray = scanner.peek() === '[';
    const { at, line } = scanner;
    yield* scanner.skip();
    found.set(key as string, { isArray, at, line });
  } while (scanner.more('}'));
  return found;
}

/** Nothing may follow the outermost value. */
function end(scanner: JsonScanner): void {
  if (scanner.peek() !== '') scanner.fail();
}

function* fromObject(text: string): Entries {
  const scanner = new JsonScanner(text);
  const found = yield* members(scanner);
  end(scanner);
  if (found.has('outbounds')) {
    throw wholeList(
      'this is a configuration of sing-box or Xray: its outbounds are no list of HTTP or SOCKS proxies',
    );
  }
  const named = listKeys.filter((key) => found.get(key)?.isArray === true);
  const lists = [...found].map(([key, member]) => ({ member, protocol: protocolOf(key) }));
  const byProtocol = lists.every(({ member, protocol }) => member.isArray && protocol);
  if (named.length === 1 || (byProtocol && found.size > 0)) {
    const only = named.length === 1 ? found.get(named[0] as string) : undefined;
    for (const { member, protocol } of lists) {
      if (only !== undefined && member !== only) continue;
      yield* elements(new JsonScanner(text, member), text, protocol);
    }
    return;
  }
  // A list of JSON lines may have a single line. One with whirl's own names is an object in place of a list.
  if (!found.has('url') && !found.has('host') && text.length <= maxEntryLength) {
    const value = parse(text, 1) as Record<string, unknown>;
    if (hasPlace(rowOf(value))) {
      yield { value, line: 1 };
      return;
    }
  }
  throw wholeList(
    `this is a JSON object with ${namesOf([...found.keys()])}: a list is an array, or an object with one array named ${listKeys.join(', ')}, or with an array for each protocol`,
  );
}

function* fromArray(text: string): Entries {
  const scanner = new JsonScanner(text);
  yield* elements(scanner, text);
  end(scanner);
}

/**
 * Reads an array, or an object that holds the list in one of the usual ways, entry by entry: `JSON.parse` of the
 * whole would take as long as the text is, in one go. Throws `InvalidProxyError` for what is no such list.
 */
export function* readJson(text: string): Entries {
  try {
    yield* /^\s*\[/.test(text) ? fromArray(text) : fromObject(text);
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    throw wholeList(`line ${error.line}: the list begins like JSON, but is not`, error.line);
  }
}

/** Whether a text is one JSON object a line. */
export function isJsonLines(lines: Lines): boolean {
  let objects = 0;
  for (let line = lines.next(); line !== undefined; line = lines.next()) {
    const text = line.trim();
    if (text === '') continue;
    if (!text.startsWith('{') || (objects === 0 && !text.endsWith('}'))) return false;
    if (++objects === 2) return true;
  }
  return false;
}

/** A line of JSON lines. */
export function readJsonLine(text: string, line: number): JsonEntry | Refusal {
  try {
    return { value: parse(text, line), line };
  } catch {
    return new Refusal('it is not JSON, as the lines before it are', 'a line that is not JSON');
  }
}
