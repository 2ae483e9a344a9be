import { InvalidProxyError } from '../errors.ts';
import { contentOf, isComment, linesOf, trimEdges, unwrap } from './clean-line.ts';
import { headerIn, splitCells, type CsvHeader } from './csv.ts';
import { isJsonLines, namesOf, readJson, readJsonLine, type JsonEntry } from './json-list.ts';
import type { ListRules } from './list-options.ts';
import { protocolOf } from './protocols.ts';
import { readInput, readRecord, readText, type Proxy, type ProxyInput } from './proxy.ts';
import { hasPlace, isTable, rowOf } from './record.ts';
import { Refusal, refuse } from './refusal.ts';
import { isProxyChains, whyUnreadable } from './unreadable.ts';

/** What a list turned out to be. `entries`: an array in memory. */
export type ProxyListKind = 'lines' | 'csv' | 'json' | 'json-lines' | 'entries';

/** An entry, understood or not. */
export interface ListEntry {
  /** Its line or its number, from 1; of JSON the index of the element, see `lineOf`. */
  readonly at: number;
  readonly result: Proxy | Refusal;
}

export interface ListEntries {
  readonly kind: ProxyListKind;
  /** What messages name an entry by. */
  readonly place: 'line' | 'entry';
  readonly entries: Iterable<ListEntry>;
  /** The line of an entry, where that is worked out only when it is needed. */
  readonly lineOf?: (at: number) => number;
}

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
      `it has ${namesOf(value)}, and neither a url nor a host`,
    );
  }
  return readRecord(row, rules);
}

function readJsonValue({ value, protocol }: JsonEntry, rules: ListRules): Proxy | Refusal {
  const own = protocol === undefined ? rules : { ...rules, defaultProtocol: protocol };
  if (typeof value === 'string') return readText(value, own);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return readObject(value as Record<string, unknown>, own);
  }
  const got = Array.isArray(value) ? 'an array' : value === null ? 'null' : `a ${typeof value}`;
  return new Refusal(`an entry must be a text or an object, got ${got}`);
}

function fromJson(text: string, rules: ListRules): ListEntries {
  const list = readJson(text);
  if (list instanceof Refusal) throw wholeList(list.message);
  const entries = function* (): Generator<ListEntry> {
    for (const [at, entry] of list.entries.entries()) {
      yield { at, result: readJsonValue(entry, rules) };
    }
  };
  // JSON on one line is named by the entry: every line would be the first.
  return /[\r\n]/.test(text.trim())
    ? { kind: 'json', place: 'line', entries: entries(), lineOf: list.lineOf }
    : { kind: 'json', place: 'entry', entries: entries(), lineOf: (at) => at + 1 };
}

function* fromJsonLines(lines: readonly string[], rules: ListRules): Generator<ListEntry> {
  for (const [i, line] of lines.entries()) {
    const text = trimEdges(line);
    if (text === '') continue;
    const entry = readJsonLine(text);
    const result = entry instanceof Refusal ? entry : readJsonValue(entry, rules);
    yield { at: i + 1, result };
  }
}

/** The lines that say something, with their numbers. */
function* contents(lines: readonly string[], from = 0): Generator<readonly [number, string]> {
  for (let i = from; i < lines.length; i++) {
    const text = contentOf(lines[i] as string);
    if (text !== '') yield [i + 1, text];
  }
}

function* fromLines(lines: readonly string[], rules: ListRules): Generator<ListEntry> {
  for (const [at, text] of contents(lines)) yield { at, result: readText(unwrap(text), rules) };
}

/** With a template, the separator at the end of a line and its quotes are columns. */
function* fromTemplate(lines: readonly string[], rules: ListRules): Generator<ListEntry> {
  let begun = false;
  for (const [i, line] of lines.entries()) {
    const text = trimEdges(line);
    if (text === '' || isComment(text)) continue;
    const result = readText(text, rules);
    const isHeader = !begun && result instanceof Refusal && isTable(wordsOf(text));
    begun = true;
    if (!isHeader) yield { at: i + 1, result };
  }
}

function wordsOf(text: string): string[] {
  return text
    .slice(0, 1000)
    .toLowerCase()
    .split(/[^a-z_]+/);
}

function* fromProxyChains(lines: readonly string[], rules: ListRules): Generator<ListEntry> {
  const begin = lines.findIndex((line) => /^\s*\[ProxyList\]/i.test(line));
  for (const [at, text] of contents(lines, begin + 1)) {
    const [type = '', host = '', port, username, password] = text.split(/\s+/, 6);
    const protocol = protocolOf(type.toLowerCase());
    if (protocol === undefined) {
      yield { at, result: refuse(text, 'its type must be http, socks4 or socks5') };
      continue;
    }
    const fields = { host, port, username, password, protocol };
    yield { at, result: readRecord((name) => fields[name as keyof typeof fields], rules) };
  }
}

function* fromTable(
  lines: readonly string[],
  { separator, columns }: CsvHeader,
  headerAt: number,
  rules: ListRules,
): Generator<ListEntry> {
  const places = new Map(columns.map((name, i) => [name, i]));
  for (let i = headerAt; i < lines.length; i++) {
    const text =
      separator === '\t' ? (lines[i] as string).trimStart() : trimEdges(lines[i] as string);
    if (text.trim() === '' || text.startsWith('#') || text.startsWith('//')) continue;
    yield {
      at: i + 1,
      result: readCells(columns.length === 1 ? [text] : splitCells(text, separator)),
    };
  }

  function readCells(cells: readonly string[] | undefined): Proxy | Refusal {
    if (cells === undefined) {
      return new Refusal('a quote in it is not closed, or is followed by text');
    }
    if (cells.length !== columns.length) {
      const why = `it must have ${columns.length} columns, as the header has`;
      return new Refusal(why, `${why}, but it has ${cells.length}`);
    }
    return readRecord((name) => cells[places.get(name) ?? -1], rules);
  }
}

/** A text that is no list as a whole. */
function wholeList(why: string): InvalidProxyError {
  return new InvalidProxyError(why, { faults: [{ line: 1, reason: why.slice(0, 299) }] });
}

/** Of a JSON array; `[` may also begin an IPv6 address. */
const beginsLikeArray = /^\s*\[\s*(?:["{[\]]|$)/;

/** Finds out what a text is, and reads its entries as they are asked for. */
export function entriesOfText(given: string, rules: ListRules): ListEntries {
  const text = given.replace(/^\uFEFF/, '');
  if (beginsLikeArray.test(text)) return fromJson(text, rules);
  const lines = linesOf(text);
  if (/^\s*\{/.test(text)) {
    return isJsonLines(lines)
      ? { kind: 'json-lines', place: 'line', entries: fromJsonLines(lines, rules) }
      : fromJson(text, rules);
  }
  if (rules.proxychains) {
    if (isProxyChains(text))
      return { kind: 'lines', place: 'line', entries: fromProxyChains(lines, rules) };
    throw wholeList('it has no line [ProxyList], after which proxychains lists its proxies');
  }
  if (rules.template !== undefined)
    return { kind: 'lines', place: 'line', entries: fromTemplate(lines, rules) };
  const [first] = contents(lines);
  const header = first === undefined ? undefined : headerIn(first[1], isTable);
  if (first !== undefined && header !== undefined) {
    return { kind: 'csv', place: 'line', entries: fromTable(lines, header, first[0], rules) };
  }
  // One strange line is a line to skip: the whole is something else only if it does not begin with a proxy.
  if (first !== undefined && readText(unwrap(first[1]), rules) instanceof Refusal) {
    const why = whyUnreadable(text);
    if (why !== undefined) throw wholeList(why);
  }
  if (rules.records && first !== undefined) {
    throw wholeList(
      'the format "records" is for JSON and for CSV with a header row, and this is neither',
    );
  }
  return { kind: 'lines', place: 'line', entries: fromLines(lines, rules) };
}

/** The entries of an array, whose numbers begin with 1. */
export function* entriesOfArray(
  list: readonly ProxyInput[],
  rules: ListRules,
): Generator<ListEntry> {
  for (const [i, input] of list.entries()) yield { at: i + 1, result: readInput(input, rules) };
}
