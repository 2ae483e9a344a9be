import { shown } from '@whirl/check';
import { InvalidProxyError, type ProxyIssue } from '../errors.ts';
import { allSteps, stepByStep, type Steps } from '../steps.ts';
import { IssueLog, issueOf } from './issue-log.ts';
import {
  entriesOfArray,
  entriesOfText,
  type ListEntries,
  type ProxyListKind,
} from './list-entries.ts';
import {
  defaultRules,
  resolveListOptions,
  type ListRules,
  type ProxyListOptions,
} from './list-options.ts';
import { sameProxy, type Proxy, type ProxyInput } from './proxy.ts';
import { Refusal } from './refusal.ts';

/** What became of a list: every entry is one of the proxies, skipped, a duplicate or a conflict. */
export interface ProxyListReport {
  readonly proxies: Proxy[];
  readonly kind: ProxyListKind;
  /** What is not a proxy: how many, and the first 20. */
  readonly skipped: { readonly count: number; readonly first: readonly ProxyIssue[] };
  /** Entries that say the same as an earlier one, in whatever spelling. */
  readonly duplicates: number;
  /** Entries with the id of an earlier one that say something else. The earlier one is kept. */
  readonly conflicts: number;
}

/** An entry of a list as it stands there: a proxy, or why it is none. */
export type ProxyListEntry =
  | { readonly line: number; readonly proxy: Proxy; readonly issue?: undefined }
  | { readonly line: number; readonly proxy?: undefined; readonly issue: ProxyIssue };

/** Decides beside the proxies themselves whether two entries of one id say the same, by their numbers. */
type Alike = (at: number, otherAt: number) => boolean;

/** Entries, and lines without one, that are read in one step. */
const entriesPerStep = 32;

const differ = 'they are different proxies with one id: give one an id';

function describeConflict(a: Proxy, atA: number, b: Proxy, atB: number, place: string): string {
  const one = `${a.host}:${a.port}`;
  const other = `${b.host}:${b.port}`;
  let what = `for ${one}`;
  if (one !== other) what = `for ${one} and ${other}`;
  else if (a.protocol !== b.protocol) what += `, ${a.protocol} and ${b.protocol}`;
  else if (a.password !== b.password) what += ', whose passwords differ';
  else what += ', whose options differ';
  return `${place} ${atA} and ${place} ${atB} are different proxies with one id, ${what}: give one an id`;
}

/** Asks the caller's `check` about what was understood. */
function checked(
  result: Proxy | Refusal,
  check: (proxy: Proxy) => string | undefined,
): Proxy | Refusal {
  if (result instanceof Refusal) return result;
  const why = check(result);
  return why === undefined
    ? result
    : new Refusal(why, () => `${result.host}:${result.port}: ${why}`);
}

interface Result {
  readonly report: ProxyListReport;
  /** For each proxy the number of its entry. */
  readonly from: readonly number[];
}

/** Reads a list in steps. Throws `InvalidProxyError` for the whole of it. */
function* reading(
  { kind, place, entries }: ListEntries,
  { skip, maxSkipped, check }: ListRules,
  alike?: Alike,
): Steps<Result> {
  const issues = new IssueLog(place, kind === 'entries' || kind === 'json' ? 'entries' : 'lines');
  /** By id: where the proxy stands among those that are kept. */
  const byId = new Map<string, number>();
  const proxies: Proxy[] = [];
  const from: number[] = [];
  let steps = 0;
  let read = 0;
  let duplicates = 0;
  let conflicts = 0;
  for (const entry of entries) {
    if (++steps % entriesPerStep === 0) yield;
    if (entry === undefined) continue;
    const { at, result: understood } = entry;
    read++;
    const result = check === undefined ? understood : checked(understood, check);
    if (result instanceof Refusal) {
      issues.add(at, result);
      continue;
    }
    const index = byId.get(result.id);
    if (index === undefined) {
      byId.set(result.id, proxies.length);
      proxies.push(result);
      from.push(at);
      continue;
    }
    const before = proxies[index] as Proxy;
    const beforeAt = from[index] as number;
    if (sameProxy(before, result) && alike?.(beforeAt, at) !== false) duplicates++;
    else if (skip) conflicts++;
    else {
      issues.add(
        at,
        new Refusal(differ, () => describeConflict(before, beforeAt, result, at, place)),
      );
    }
  }
  const { count, first } = issues;
  if (count > 0) {
    if (!skip || proxies.length === 0) throw issues.error(read);
    if (count / read > maxSkipped) {
      throw issues.error(read, `, more than maxSkipped (${maxSkipped}) allows`);
    }
  }
  const report = { proxies, kind, skipped: { count, first }, duplicates, conflicts };
  return { report, from };
}

function entriesIn(list: string | readonly ProxyInput[], rules: ListRules): ListEntries {
  if (typeof list === 'string') return entriesOfText(list, rules);
  if (!Array.isArray(list))
    throw new InvalidProxyError(`proxies must be an array or a string, got ${shown(list)}`);
  return { kind: 'entries', place: 'entry', entries: entriesOfArray(list, rules) };
}

/**
 * Understands a list and tells what became of each entry. A text holds a proxy a line with comments (`#`,
 * `;`, `//`) and blank lines, or CSV with a header row, a JSON array, a JSON object with such an array, or a
 * JSON object a line. Throws `InvalidProxyError` with the `issues` of the whole list; with
 * `onInvalid: 'skip'` only when nothing is left of it, or less than `maxSkipped` allows. Takes time in
 * proportion to the length of the list.
 */
export function readProxyList(
  list: string | readonly ProxyInput[],
  options?: ProxyListOptions,
): ProxyListReport {
  const rules = options === undefined ? defaultRules : resolveListOptions(options);
  return allSteps(reading(entriesIn(list, rules), rules)).report;
}

/** `readProxyList`, in steps of a few milliseconds between which the event loop turns. */
export async function readProxyListAsync(
  list: string | readonly ProxyInput[],
  options?: ProxyListOptions,
): Promise<ProxyListReport> {
  const rules = options === undefined ? defaultRules : resolveListOptions(options);
  return (await stepByStep(reading(entriesIn(list, rules), rules))).report;
}

/**
 * Every entry of a list in its order, duplicates and conflicts included, for programs that report on each of them.
 * Throws `InvalidProxyError` while it is iterated when the text is no list at all.
 */
export function* proxyListEntries(
  list: string | readonly ProxyInput[],
  options?: Omit<ProxyListOptions, 'onInvalid' | 'maxSkipped'>,
): Generator<ProxyListEntry, void, undefined> {
  const rules = options === undefined ? defaultRules : resolveListOptions(options);
  const { check } = rules;
  for (const entry of entriesIn(list, rules).entries) {
    if (entry === undefined) continue;
    const { at: line, result: understood } = entry;
    const result = check === undefined ? understood : checked(understood, check);
    if (result instanceof Refusal) yield { line, issue: issueOf(line, result.message) };
    else yield { line, proxy: result };
  }
}

/** The proxies of `readProxyList`. */
export function parseProxyList(text: string, options?: ProxyListOptions): Proxy[] {
  return readProxyList(text, options).proxies;
}

/**
 * Understands a list in memory, whose entries errors name by number. `alike` may tell entries apart that are
 * the same proxy; `from` has the number of the entry of each proxy.
 */
export function* parsingProxies(
  list: string | readonly ProxyInput[],
  alike?: Alike,
): Steps<{ proxies: Proxy[]; from: readonly number[] }> {
  const { report, from } = yield* reading(entriesIn(list, defaultRules), defaultRules, alike);
  return { proxies: report.proxies, from };
}
