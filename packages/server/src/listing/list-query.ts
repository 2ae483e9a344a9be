import { z } from 'zod';
import { invalidInput } from '../http/errors.ts';
import { circuitStateSchema } from '../wire/circuit-wire.ts';
import type { Place, SortValue } from './page.ts';

export const maxLimit = 10_000;
const defaultLimit = 1000;
const limitMessage = `must be an integer from 1 to ${maxLimit}`;

const limitSchema = z
  .string()
  .regex(/^[1-9]\d{0,4}$/, limitMessage)
  .transform(Number)
  .refine((limit) => limit <= maxLimit, limitMessage)
  .default(defaultLimit)
  .meta({
    description: 'Rows on a page.',
    override: { type: 'integer', minimum: 1, maximum: maxLimit, default: defaultLimit },
  });

const idsSchema = z
  .union([z.string().max(300), z.array(z.string().max(300)).max(500)])
  .transform((ids) => (typeof ids === 'string' ? [ids] : ids))
  .optional()
  .meta({
    description: 'Only these ids, which are read without a walk through the pool.',
    override: { type: 'array', items: { type: 'string', maxLength: 300 }, maxItems: 500 },
  });

/** The query of a list of proxies, whose rows can be sorted by `sorts` and have these `fields`. */
export function listQuery<Field extends string>(
  sorts: readonly [Field, ...Field[]],
  fields: readonly Field[],
) {
  const orders = sorts.flatMap((sort) => [sort, `-${sort}`]);
  const known = new Set<string>(fields);
  return {
    limit: limitSchema,
    cursor: z.string().min(1).max(2000).optional().meta({
      description: 'next_cursor of the page before. sort must be the same as there.',
    }),
    sort: z
      .enum(orders as [string, ...string[]])
      .default(sorts[0] as string)
      .meta({ description: 'With "-" descending. Rows without the value come last.' }),
    state: circuitStateSchema.optional().meta({ description: 'Only proxies with this circuit.' }),
    q: z.string().max(500).optional().meta({
      description: 'Words that must all occur in id, region or tags, in upper or lower case.',
    }),
    id: idsSchema,
    fields: z
      .string()
      .max(1000)
      .transform((text) => text.split(',') as Field[])
      .refine((names) => names.every((name) => known.has(name)), {
        message: `must be a list of ${fields.join(', ')}`,
      })
      .optional()
      .meta({
        description: `Only these of a row's fields, separated by commas: ${fields.join(', ')}.`,
        override: { type: 'string', maxLength: 1000 },
      }),
  };
}

/** What every list tells besides its rows. */
export const listEnd = {
  total: z.int().min(0).meta({ description: 'Rows that match, on all pages.' }),
  next_cursor: z
    .string()
    .nullable()
    .meta({ description: 'For the next page; null on the last one.' }),
};

/** The field that `sort` names, and the direction. */
export function orderOf(sort: string): { key: string; descending: boolean } {
  return sort.startsWith('-')
    ? { key: sort.slice(1), descending: true }
    : { key: sort, descending: false };
}

export function writeCursor(sort: string, end: Place | undefined): string | null {
  if (end === undefined) return null;
  return Buffer.from(JSON.stringify([sort, end.value, end.id])).toString('base64url');
}

export function readCursor(sort: string, cursor: string | undefined): Place | undefined {
  if (cursor === undefined) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    throw invalidInput({ cursor: 'must be the next_cursor of an earlier page' });
  }
  const [of, value, id] = Array.isArray(parsed) ? (parsed as unknown[]) : [];
  const isValue = value === null || typeof value === 'string' || typeof value === 'number';
  if (typeof of !== 'string' || !isValue || typeof id !== 'string') {
    throw invalidInput({ cursor: 'must be the next_cursor of an earlier page' });
  }
  if (of !== sort) {
    throw invalidInput({ cursor: `belongs to a list with sort=${of}, not sort=${sort}` });
  }
  return { value: value as SortValue, id };
}

/** Whether all words occur in the text of a row. Undefined: every row matches. */
export function matcherOf(q: string | undefined): ((text: string) => boolean) | undefined {
  const words = (q ?? '').toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return undefined;
  return (text) => {
    const lower = text.toLowerCase();
    return words.every((word) => lower.includes(word));
  };
}

/** A row with the fields that were asked for; all of them by default. */
export function picked<Row extends object>(
  row: Row,
  fields: readonly (keyof Row)[] | undefined,
): Partial<Row> {
  if (fields === undefined) return row;
  return Object.fromEntries(fields.map((name) => [name, row[name]])) as Partial<Row>;
}
