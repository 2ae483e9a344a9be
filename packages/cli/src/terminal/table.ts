import { Table } from 'console-table-printer';

/** Two or three blanks between columns, no borders: what a person reads and `awk` takes apart. */
const edge = { left: '', mid: '', right: '', other: '' };
const style = {
  headerTop: edge,
  headerBottom: edge,
  tableBottom: edge,
  vertical: ' ',
  rowSeparator: edge,
};

export type Cells = Readonly<Record<string, string | number | null>>;

/** Lines of a table, its header first; no line for no rows. Columns that are empty in every row are left out. */
export function tableLines(rows: readonly Cells[], right: ReadonlySet<string>): string[] {
  if (rows.length === 0) return [];
  const names = Object.keys(rows[0] as Cells).filter((name) =>
    rows.some((cells) => cells[name] !== null),
  );
  const table = new Table({
    style,
    shouldDisableColors: true,
    columns: names.map((name) => ({
      name,
      alignment: right.has(name) ? ('right' as const) : ('left' as const),
    })),
  });
  for (const cells of rows) {
    table.addRow(Object.fromEntries(names.map((name) => [name, cells[name] ?? ''])));
  }
  return table
    .render()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.slice(2).trimEnd());
}
