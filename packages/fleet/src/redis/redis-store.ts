import { checkBriefly } from '@whirl/check';
import { methods } from '../methods.ts';
import {
  buckets,
  evidenceHalfLifeMs,
  leastEvidence,
  maxEntries,
  type LogEntry,
  type EvidenceRow,
  type SyncRequest,
  type FleetStore,
  type KnownHold,
  type Peer,
} from '../store.ts';
import type { RedisCommands } from './clients.ts';
import { readScript, script, sha } from './script.ts';

/** More rows than a part of the evidence has. */
const wholePart = 1_000_000;

/** Redis has no infinity that every Lua reads: a hold without an end is one of 3,000 years. */
const foreverMs = 1e14;

/**
 * A store in Redis 6.2 or later, or Valkey: one XRANGE and one EVALSHA a sync, sent together, everything of a pool in
 * one slot. The client is the caller's: it is neither connected nor closed here.
 *
 * @throws {TypeError} On commands without `eval`.
 */
export function redisStore(commands: RedisCommands): FleetStore {
  checkBriefly('commands', commands, methods('an object', 'eval'));
  const run = async (keys: readonly string[], args: readonly string[]) => {
    try {
      return await (commands.evalSha?.(sha, keys, args) ?? commands.eval(script, keys, args));
    } catch (error) {
      if (!says(error, /^NOSCRIPT|No matching script/)) throw error;
      return commands.eval(script, keys, args);
    }
  };
  return {
    async sync(ask) {
      const { position } = ask;
      const keys = keysOf(ask);
      const [log] = keys as [string];
      // Read beside the script: in it each value would become a part of a table first, at four times the price.
      const read = async (start: string) =>
        commands.xRange?.(log, start, maxEntries) ??
        commands.eval(readScript, [log], ['XRANGE', start, '+', 'COUNT', String(maxEntries)]);
      const readPart = async (key: string) =>
        commands.hScan?.(key, wholePart) ?? commands.eval(readScript, [key], ['HGETALL']);
      const [entries, reply, ...parts] = await Promise.all([
        read(position === '' ? '-' : `(${position}`),
        run(keys, argsOf(ask, keys)),
        ...partsOf(ask.buckets).map((part) => readPart(partKey(ask.scope, part))),
      ]).catch(refuse);
      const { now, isSameLog, ...response } = responseOf(reply);
      const from = isSameLog ? position : '';
      const known = from === position ? entries : await read('-');
      const evidence = parts.flatMap((part) => rowsOf(part, now));
      return { ...response, evidence, ...logOf(known, from, ask.process, now) };
    },
    close() {},
  };
}

/** Before version 7.2 the server has no code for what an account may not do in a script. */
function refuse(error: unknown): never {
  throw says(error, /user executing/) ? new Error('NOPERM', { cause: error }) : error;
}

function says(error: unknown, words: RegExp): boolean {
  return words.test(String((error as Error | undefined)?.message));
}

function keysOf({ scope, version, evidence, buckets: toRead }: SyncRequest): string[] {
  const names = ['log', 'hold', 'mark', 'lease', 'live', 'epoch'];
  const parts = partsOf([...evidence.map(({ bucket }) => bucket), ...toRead]);
  return [
    ...names.map((name) => `${scope}:${name}`),
    `${scope.slice(0, -version.length)}versions`,
    ...parts.map((part) => partKey(scope, part)),
  ];
}

function partsOf(numbers: readonly number[]): number[] {
  return [...new Set(numbers)].filter((part) => part >= 0 && part < buckets);
}

function partKey(scope: string, part: number): string {
  return `${scope}:ev:${part}`;
}

function argsOf(ask: SyncRequest, keys: readonly string[]): string[] {
  const place = (bucket: number) => String(keys.indexOf(partKey(ask.scope, bucket)) - 6);
  const ms = (value: number) => String(Math.round(Math.min(value, foreverMs)));
  const list = <Each>(each: readonly Each[], row: (one: Each) => string[]) => [
    String(each.length),
    ...each.flatMap(row),
  ];
  return [
    ask.process,
    ask.witness,
    ask.version,
    ask.epoch,
    ask.newEpoch,
    ask.position || '-',
    ask.batch ?? '',
    ms(ask.memberTtlMs),
    ms(ask.keyTtlMs),
    ms(ask.logTtlMs),
    String(ask.live),
    ask.leaving ? '1' : '0',
    ...list(ask.holds, ({ field, remainingMs }) => [field, ms(remainingMs)]),
    ...list(ask.releases, (field) => [field]),
    ...list(ask.verdicts, ({ field, term, result, remainingMs }) => {
      return [field, term, result, ms(remainingMs)];
    }),
    ...list(ask.leases, ({ field, leaseMs }) => [field, ms(leaseMs)]),
    ...list(partsOf(ask.evidence.map(({ bucket }) => bucket)), (part) => {
      const rows = ask.evidence.filter(({ bucket }) => bucket === part);
      return [
        place(part),
        ...list(rows, ({ id }) => [id]),
        ...rows.map(({ successes, failures, successMs, run }) =>
          [successes, failures, ms(successMs), run].join(' '),
        ),
      ];
    }),
    ...list(partsOf(ask.buckets), (bucket) => [place(bucket)]),
  ];
}

/** What the script returned. What cannot be understood is left out: others may write to these keys. */
function responseOf(reply: unknown) {
  if (!Array.isArray(reply) || reply.length < 9)
    throw new TypeError('the reply of a script was expected');
  const [time, epoch, same, live, peers, grants, denials, holds, versions] = reply as unknown[];
  const now = Number(time);
  return {
    now,
    /** It still holds what the position is of. */
    isSameLog: Number(same) === 1,
    epoch: String(epoch),
    live: Number(live),
    peers: strings(peers).length > 0 ? strings(peers).map(peerOf) : undefined,
    grants: chunks(strings(grants), 2).map(([field = '', term = '']) => ({ field, term })),
    denials: chunks(strings(denials), 2).map(([field = '', remaining]) => {
      return { field, remainingMs: Number(remaining) };
    }),
    holds: chunks(strings(holds), 3).map(holdOf),
    versions: strings(versions),
  };
}

/** What was read of the log, after a position. */
function logOf(list: unknown, position: string, self: string, now: number) {
  const read = lists(list);
  const [reached = position] = (read.at(-1) ?? []) as string[];
  return {
    position: reached,
    more: read.length === maxEntries,
    entries: read.flatMap((entry) => entryOf(entry, self, now)),
  };
}

function strings(list: unknown): string[] {
  return Array.isArray(list) ? list.map(String) : [];
}

function lists(list: unknown): unknown[][] {
  return Array.isArray(list) ? list.filter(Array.isArray) : [];
}

function chunks(list: readonly string[], length: number): string[][] {
  return Array.from({ length: Math.floor(list.length / length) }, (_, i) =>
    list.slice(i * length, (i + 1) * length),
  );
}

function peerOf(row: string): Peer {
  const [process = '', witness = ''] = row.split('\n');
  return { process, witness };
}

/**
 * An entry of the log: its id, and one field, named after the process and its host. Apart from what it told, since a
 * name that is cut out of a long string keeps all of it in memory.
 */
function entryOf([id, fields]: unknown[], self: string, now: number): LogEntry[] {
  const [head, text] = strings(fields);
  const [process, witness] = (head ?? '').split('\n');
  if (!process || !witness || !text || process === self) return [];
  const ageMs = Math.max(0, now - Number.parseInt(String(id), 10));
  const what = text.slice(1);
  return [{ process, witness, ageMs, [text[0] === 'c' ? 'passed' : 'batch']: what }];
}

function holdOf([field = '', remaining, marks = '']: string[]): KnownHold {
  const names = marks.split('\n');
  const known = chunks(names, 2).map(([process = '', witness = '']) => ({ process, witness }));
  const remainingMs = Number(remaining);
  return { field, remainingMs: remainingMs > foreverMs / 2 ? Infinity : remainingMs, marks: known };
}

/** A part of the evidence: ids and their rows in turn, faded to now. */
function rowsOf(part: unknown, now: number): EvidenceRow[] {
  return chunks(strings(part), 2).flatMap(([id = '', row = '']) => {
    const numbers = row.split(' ').map(Number) as [number, number, number, number, number];
    const [successes, failures, successMs, run, at] = numbers;
    const kept = 0.5 ** (Math.max(0, now - at) / evidenceHalfLifeMs);
    const attempts = (successes + failures) * kept;
    const isRow = Number.isFinite(attempts + successMs + run);
    return isRow && attempts >= leastEvidence
      ? [{ id, successes: successes * kept, failures: failures * kept, successMs, run }]
      : [];
  });
}
