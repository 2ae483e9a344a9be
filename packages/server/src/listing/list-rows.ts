import type { ProxyRotator } from '@whirl/rotator';
import type { FastifyReply } from 'fastify';
import { stateToWire } from '../wire/circuit-wire.ts';
import { matcherOf, orderOf, picked, readCursor, writeCursor } from './list-query.ts';
import { pageOf, type SortValue } from './page.ts';
import { Turns } from './turns.ts';

interface Query<Row> {
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly sort: string;
  readonly state?: 'closed' | 'open' | 'half_open' | undefined;
  readonly q?: string | undefined;
  readonly id?: readonly string[] | undefined;
  readonly fields?: readonly (keyof Row & string)[] | undefined;
}

export interface Source<Row> {
  /** All ids, when the query names none. */
  readonly ids: () => Iterable<string>;
  /** What a row is sorted by; undefined when there is no such row. */
  readonly valueOf: (id: string, key: keyof Row & string) => SortValue | undefined;
  /** Undefined when the row has gone since. */
  readonly read: (id: string) => Row | undefined;
}

export interface Rows {
  /** Each row as JSON, by id. */
  readonly rows: readonly (readonly [id: string, json: string])[];
  readonly total: number;
  readonly next_cursor: string | null;
}

/** Rows between two looks at the clock. */
const stride = 64;

/**
 * The rows that a query asks for, already written as JSON: a page of 10,000 is megabytes of text, written in
 * slices. `state` and `q` look at the proxy of the pool that has the row's id.
 */
export async function listRows<Row extends object>(
  rotator: ProxyRotator,
  query: Query<Row>,
  source: Source<Row>,
): Promise<Rows> {
  const { sort, state, limit, fields } = query;
  const { key, descending } = orderOf(sort);
  const after = readCursor(sort, query.cursor);
  const matches = matcherOf(query.q);
  const passes = (id: string): boolean => {
    if (state === undefined && matches === undefined) return true;
    const proxy = rotator.proxy(id);
    if (state !== undefined && (proxy === undefined || stateToWire(proxy.state) !== state)) {
      return false;
    }
    return matches === undefined || matches([id, proxy?.region, ...(proxy?.tags ?? [])].join(' '));
  };
  const { ids, total, end } = await pageOf({
    ids: query.id === undefined ? source.ids() : new Set(query.id),
    valueOf: (id) => (passes(id) ? source.valueOf(id, key as keyof Row & string) : undefined),
    descending,
    after,
    limit,
  });
  const turns = new Turns();
  const rows: [string, string][] = [];
  for (const id of ids) {
    const row = source.read(id);
    if (row !== undefined) rows.push([id, JSON.stringify(picked(row, fields))]);
    if (rows.length % stride === 0 && turns.isDue) await turns.next();
  }
  return { rows, total, next_cursor: writeCursor(sort, end) };
}

/** The body of a response with an array of rows. */
export function arrayOf(name: string, { rows, total, next_cursor }: Rows): string {
  const array = rows.map(([, json]) => json).join(',');
  return `{"${name}":[${array}],${ending(total, next_cursor)}}`;
}

/** The body of a response with an object of rows by id. */
export function recordOf(name: string, { rows, total, next_cursor }: Rows): string {
  const entries = rows.map(([id, json]) => `${JSON.stringify(id)}:${json}`).join(',');
  return `{"${name}":{${entries}},${ending(total, next_cursor)}}`;
}

function ending(total: number, cursor: string | null): string {
  return `"total":${total},"next_cursor":${JSON.stringify(cursor)}`;
}

/** Sends JSON that is written already. */
export function sendText(reply: Pick<FastifyReply, 'type'>, text: string): FastifyReply {
  return reply.type('application/json; charset=utf-8').send(text);
}
