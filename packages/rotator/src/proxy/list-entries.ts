import { InvalidProxyError } from '../errors.ts';
import { contentOf, isComment, trimEdges, unwrap } from './clean-line.ts';
import { Lines } from './lines.ts';
import { headerIn, splitCells, type CsvHeader } from './csv.ts';
import { isJsonLines, namesOf, readJson, readJsonLine, type JsonEntry } from './json-list.ts';
import type { ListRules } from './list-options.ts';
import { protocolOf } from './protocols.ts';
import { readInput, readRecord, readText } from './parse-proxy.ts';
import type { Proxy, ProxyInput } from './proxy.ts';
import { hasPlace, isTable, namesAmong, rowOf } from './record.ts';
import { Refusal, refuse, wholeList } from './refusal.ts';
import { whyUnreadable } from './unreadable.ts';

/** What a list turned out to be. `entries`: an array in memory. */
export type ProxyListKind = 'lines' | 'csv' | 'json' | 'json-lines' | 'entries';

/** An entry, understood or not. */
export interface ListEntry {
  /** Its line or its number, from 1. */
  readonly at: number;
  readonly result: Proxy | Refusal;
}

export interface ListEntries {
  readonly kind: ProxyListKind;
  /** What messages name an entry by. */
  readonly place: 'line' | 'entry';
  readonly entries: Entries;
}

/** Entries as they are read; undefined: work was done, and no entry found. */
type Entries = Generator<ListEntry | undefined, void, undefined>;

/** whirl's own names are strict, so that a misspelt option is not ignored; others are another program's. */
function readObject(value: Record<string, unknown>, rules: ListRules): Proxy | Refusal {
  const own = Object.hasOwn(value, 'url') || Object.hasOwn(value, 'host');
  if (own && !rules.records) {
    const { fromObject } = rules;
    if (fromObject === undefined) return readInput(value as ProxyInput, rules);
    try {
      return readInput(fromObject(value), rules);
    } catch (error) {
      if (error instanceof InvalidProxyError) return new Refusal(error.message);
      throw error;
    }
  }
  const row = rowOf(value);
  if (!hasPlace(row)) {
    return new Refusal(
      'it has neither a url nor a host',
      () => `it has ${namesOf(Object.keys(value))}, and neither a url nor a host`,
    );
  }
  return readRecord(row, rules);
}

function readJsonValue({ value, protocol }: JsonEntry, rules: ListRules): Proxy | Refusal {
  if (value instanceof Refusal) return value;
  const own = protocol === undefined ? rules : { ...rules, defaultProtocol: protocol };
  if (typeof value === 'string') return readText(value, own);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return readObject(value as Record<string, unknown>, own);
  }
  const got = Array.isArray(value) ? 'an array' : value === null ? 'null' : `a ${typeof value}`;
  return new Refusal(`an entry must be a text or an object, got ${got}`);
}

function fromJson(text: string, rules: ListRules): ListEntries {
  // JSON on one line is named by the entry: every line would be the first.
  const place = /[\r\n]/.test(text.trim()) ? 'line' : 'entry';
  const entries = function* (): Entries {
    let read = 0;
    for (const entry of readJson(text)) {
      if (entry === undefined) yield undefined;
      else {
        read++;
        yield { at: place === 'line' ? entry.line : read, result: readJsonValue(entry, rules) };
      }
    }
  };
  return { kind: 'json', place, entries: entries() };
}

/** Reads each line, or tells by undefined that there is nothing in it. */
function* eachLine(
  lines: Lines,
  read: (line: string, at: number) => Proxy | Refusal | undefined,
): Entries {
  for (let line = lines.next(); line !== undefined; line = lines.next()) {
    const at = lines.number;
    const result = read(line, at);
    yield result && { at, result };
  }
}

function fromJsonLines(lines: Lines, rules: ListRules): Entries {
  return eachLine(lines, (line, at) => {
    const text = trimEdges(line);
    if (text === '') return undefined;
    const entry = readJsonLine(text, at);
    return entry instanceof Refusal ? entry : readJsonValue(entry, rules);
  });
}

function fromLines(lines: Lines, rules: ListRules): Entries {
  return eachLine(lines, (line) => {
    const text = contentOf(line);
    return text === '' ? undefined : readText(unwrap(text), rules);
  });
}

/** With a template, the separator at the end of a line and its quotes are columns. */
function fromTemplate(lines: Lines, rules: ListRules): Entries {
  let begun = false;
  return eachLine(lines, (line) => {
    const text = trimEdges(line);
    if (text === '' || isComment(text)) return undefined;
    const result = readText(text, rules);
    const isHeader = !begun && result instanceof Refusal && isTable(wordsOf(text));
    begun = true;
    return isHeader ? undefined : result;
  });
}

function wordsOf(text: string): string[] {
  return text
    .slice(0, 1000)
    .toLowerCase()
    .split(/[^a-z_]+/);
}

/** Behind the line `[ProxyList]` proxychains lists its proxies. */
function* fromProxyChains(lines: Lines, rules: ListRules): Entries {
  for (let line = lines.next(); !isListHead(line); line = lines.next()) {
    if (line === undefined) {
      throw wholeList('it has no line [ProxyList], after which proxychains lists its proxies');
    }
    yield undefined;
  }
  yield* eachLine(lines, (line) => {
    const text = contentOf(line);
    if (text === '') return undefined;
    const [type = '', host = '', port, username, password] = text.split(/\s+/, 6);
    const protocol = protocolOf(type.toLowerCase());
    if (protocol === undefined) return refuse(text, 'its type must be http, socks4 or socks5');
    const fields = { host, port, username, password, protocol };
    return readRecord((name) => fields[name as keyof typeof fields], rules);
  });
}

function isListHead(line: string | undefined): boolean {
  return line !== undefined && /^[ \t]*\[ProxyList\]/i.test(line);
}

/** The rows of a table, from `lines` that stand behind its header. */
function fromTable(lines: Lines, { separator, columns }: CsvHeader, rules: ListRules): Entries {
  const places = new Map(columns.map((name, i) => [name, i]));
  const names = namesAmong(columns);
  return eachLine(lines, (line) => {
    const text = separator === '\t' ? line.trimStart() : trimEdges(line);
    if (text.trim() === '' || text.startsWith('#') || text.startsWith('//')) return undefined;
    const cells = columns.length === 1 ? [text] : splitCells(text, separator);
    if (cells === undefined) {
      return new Refusal('a quote in it is not closed, or is followed by text');
    }
    if (cells.length !== columns.length) {
      const why = `it must have ${columns.length} columns, as the header has`;
      return new Refusal(why, () => `${why}, but it has ${cells.length}`);
    }
    return readRecord((name) => cells[places.get(name) ?? -1], rules, names);
  });
}

/** Of a JSON array; `[` may also begin an IPv6 address. */
const beginsLikeArray = /^\s*\[\s*(?:["{[\]]|$)/;

/** Moves to the first line that says something, and returns that. */
function firstContent(lines: Lines): string | undefined {
  for (let line = lines.next(); line !== undefined; line = lines.next()) {
    const text = contentOf(line);
    if (text !== '') return text;
  }
  return undefined;
}

/** Finds out what a text is, and reads its entries as they are asked for. */
export function entriesOfText(given: string, rules: ListRules): ListEntries {
  const text = given.startsWith('\uFEFF') ? given.slice(1) : given;
  const list = (kind: ProxyListKind, entries: Entries): ListEntries => ({
    kind,
    place: 'line',
    entries,
  });
  if (beginsLikeArray.test(text)) return fromJson(text, rules);
  if (/^\s*\{/.test(text)) {
    return isJsonLines(new Lines(text))
      ? list('json-lines', fromJsonLines(new Lines(text), rules))
      : fromJson(text, rules);
  }
  if (rules.proxychains) return list('lines', fromProxyChains(new Lines(text), rules));
  if (rules.template !== undefined) return list('lines', fromTemplate(new Lines(text), rules));
  const lines = new Lines(text);
  const first = firstContent(lines);
  const header = first === undefined ? undefined : headerIn(first, isTable);
  if (header !== undefined) return list('csv', fromTable(lines, header, rules));
  // One strange line is a line to skip: the whole is something else only if it does not begin with a proxy.
  if (first !== undefined && readText(unwrap(first), rules) instanceof Refusal) {
    const why = whyUnreadable(text);
    if (why !== undefined) throw wholeList(why);
  }
  if (rules.records && first !== undefined) {
    throw wholeList(
      'the format "records" is for JSON and for CSV with a header row, and this is neither',
    );
  }
  return list('lines', fromLines(new Lines(text), rules));
}

/** The entries of an array, whose numbers begin with 1. */
export function* entriesOfArray(list: readonly ProxyInput[], rules: ListRules): Entries {
  for (const [i, input] of list.entries()) yield { at: i + 1, result: readInput(input, rules) };
}
