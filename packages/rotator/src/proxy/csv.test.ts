import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { headerIn, splitCells } from './csv.ts';

const separators = fc.constantFrom(',', ';', '\t', '|');
const cell = fc.string({ unit: fc.constantFrom('a', '"', ',', ';', '\t', '|', ' ', 'ü', '🌀') });

/** What another parser says of one row; undefined when it refuses it. */
function reference(row: string, delimiter: string): string[] | undefined {
  try {
    const rows: string[][] = parse(row, { delimiter, relax_column_count: true });
    return rows[0];
  } catch {
    return undefined;
  }
}

describe('F17i the cells of a row', () => {
  it('F17i cells that are written by the rules come back', () => {
    fc.assert(
      fc.property(fc.array(cell, { minLength: 1 }), separators, (cells, separator) => {
        const row = cells.map((each) => `"${each.replaceAll('"', '""')}"`).join(separator);
        expect(splitCells(row, separator)).toEqual(cells);
      }),
    );
  });

  it('F17i any row that csv-parse accepts is split in the same way', () => {
    fc.assert(
      fc.property(cell, separators, (row, separator) => {
        const expected = row === '' ? undefined : reference(row, separator);
        if (expected !== undefined) expect(splitCells(row, separator)).toEqual(expected);
      }),
      { numRuns: 2000 },
    );
  });

  it.each(['"a', '"a"b,c', 'x,"', '""a'])('F17i %s is no row', (row) => {
    expect(splitCells(row, ',')).toBeUndefined();
  });

  it('F17i the separator of a header is the one that makes a table', () => {
    const isTable = (columns: readonly string[]) => columns.includes('ip');
    expect(headerIn('"IP"|a;b', isTable)).toEqual({ separator: '|', columns: ['ip', 'a;b'] });
    expect(headerIn('| ip |', isTable)).toBeUndefined();
    expect(headerIn('192.0.2.1,80', isTable)).toBeUndefined();
  });
});
