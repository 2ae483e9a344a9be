import { trimEdges } from './clean-line.ts';

/** The header row of a table in a text. */
export interface CsvHeader {
  readonly separator: string;
  /** In lower case, without quotes. */
  readonly columns: readonly string[];
}

/**
 * The cells of one row (RFC 4180), or undefined when a quote is not closed on its line or is followed by
 * text. A cell does not go on in the next line: one stray quote costs a line, not the rest of the list.
 */
export function splitCells(row: string, separator: string): string[] | undefined {
  const cells: string[] = [];
  let at = 0;
  for (;;) {
    let end: number;
    if (row[at] === '"') {
      let quote = row.indexOf('"', at + 1);
      // Two quotes are one that belongs to the cell.
      while (quote !== -1 && row[quote + 1] === '"') quote = row.indexOf('"', quote + 2);
      if (quote === -1) return undefined;
      end = quote + 1;
      if (end < row.length && !row.startsWith(separator, end)) return undefined;
      cells.push(row.slice(at + 1, quote).replaceAll('""', '"'));
    } else {
      const found = row.indexOf(separator, at);
      end = found === -1 ? row.length : found;
      cells.push(row.slice(at, end));
    }
    if (end >= row.length) return cells;
    at = end + separator.length;
  }
}

const separators = [',', ';', '\t', '|'];

/** A row as a header, if `isTable` accepts its columns under one of the separators. */
export function headerIn(
  row: string,
  isTable: (columns: readonly string[]) => boolean,
): CsvHeader | undefined {
  // A row of a Markdown table begins with its separator.
  if (row.length > 10_000 || row.startsWith('|')) return undefined;
  for (const separator of separators) {
    const cells = splitCells(row, separator);
    if (cells === undefined) continue;
    const columns = cells.map((cell) => trimEdges(cell).toLowerCase());
    if (isTable(columns)) return { separator, columns };
  }
  return undefined;
}
