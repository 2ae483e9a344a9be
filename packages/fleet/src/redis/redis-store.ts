import { checkBriefly } from '@whirl/check';
import { methods } from '../methods.ts';
import {
  buckets,
  type LogEntry,
  type EvidenceRow,
  type SyncResponse,
  type SyncRequest,
  type FleetStore,
  type KnownHold,
  type Peer,
} from '../store.ts';
import type { RedisCommands } from './clients.ts';
import { script, sha } from './script.ts';

/** Redis has no infinity that every Lua reads: a hold without an end is one of 3,000 years. */
const foreverMs = 1e14;

/**
 * A store in Redis 6.2 or later, or Valkey: one EVALSHA a sync, everything of a pool in one slot. The client is the
 * caller's: it is neither connected nor closed here.
 */
export function redisStore(commands: RedisCommands): FleetStore {
  checkBriefly('commands', commands, methods('an object', 'eval', 'evalSha'));
  return {
    async sync(ask) {
      const keys = keysOf(ask);
      const args = argsOf(ask, keys);
      let reply: unknown;
      try {
        reply = await commands.evalSha(sha, keys, args);
      } catch (error) {
        if (!isUnknownScript(error)) throw error;
        reply = await commands.eval(script, keys, args);
      }
      return responseOf(reply);
    },
    close() {},
  };
}

function isUnknownScript(error: unknown): boolean {
  return /^NOSCRIPT|No matching script/.test(String((error as Error | undefined)?.message));
}

function keysOf({ scope, version, evidence, buckets: toRead }: SyncRequest): string[] {
  const names = ['log', 'hold', 'mark', 'lease', 'live', 'epoch'];
  const parts = new Set([...evidence.map(({ bucket }) => bucket), ...toRead]);
  return [
    ...names.map((name) => `${scope}:${name}`),
    `${scope.slice(0, -version.length)}versions`,
    ...[...parts].filter((part) => part >= 0 && part < buckets).map((part) => partKey(scope, part)),
  ];
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
    ask.position,
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
    ...list(ask.evidence, ({ bucket, id, successes, failures, successMs, run }) => {
      return [place(bucket), id, String(successes), String(failures), ms(successMs), String(run)];
    }),
    ...list(ask.buckets, (bucket) => [place(bucket)]),
  ];
}

/** What the script returned. What cannot be understood is left out: others may write to these keys. */
function responseOf(reply: unknown): SyncResponse {
  if (!Array.isArray(reply) || reply.length < 11)
    throw new TypeError('the reply of a script was expected');
  const [epoch, position, more, live, peers, entries, grants, denials, holds, evidence, versions] =
    reply as unknown[];
  return {
    epoch: String(epoch),
    position: String(position),
    more: Number(more) === 1,
    live: Number(live),
    peers: strings(peers).length > 0 ? strings(peers).map(peerOf) : undefined,
    entries: chunks(strings(entries), 5).map(entryOf),
    grants: chunks(strings(grants), 2).map(([field = '', term = '']) => ({ field, term })),
    denials: chunks(strings(denials), 2).map(([field = '', remaining]) => {
      return { field, remainingMs: Number(remaining) };
    }),
    holds: chunks(strings(holds), 3).map(holdOf),
    evidence: strings(evidence).flatMap(rowOf),
    versions: strings(versions),
  };
}

function strings(list: unknown): string[] {
  return Array.isArray(list) ? list.map(String) : [];
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

function entryOf([process = '', witness = '', kind, what, age]: string[]): LogEntry {
  const from = { process, witness, ageMs: Number(age) };
  return kind === 'c' ? { ...from, passed: what } : { ...from, batch: what };
}

function holdOf([field = '', remaining, marks = '']: string[]): KnownHold {
  const names = marks.split('\n');
  const known = chunks(names, 2).map(([process = '', witness = '']) => ({ process, witness }));
  const remainingMs = Number(remaining);
  return { field, remainingMs: remainingMs > foreverMs / 2 ? Infinity : remainingMs, marks: known };
}

function rowOf(line: string): EvidenceRow[] {
  const end = line.lastIndexOf('\n');
  const [successes, failures, successMs, run] = line
    .slice(end + 1)
    .split(' ')
    .map(Number);
  const numbers = [successes, failures, successMs, run];
  if (end < 1 || !numbers.every(Number.isFinite)) return [];
  return [{ id: line.slice(0, end), successes, failures, successMs, run } as EvidenceRow];
}
