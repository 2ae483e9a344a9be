import { Table } from 'console-table-printer';
import { paint, type Output } from '../../terminal/terminal.ts';
import type { CheckResult } from '../result.ts';
import { recordOf } from './record.ts';

type Cells = Readonly<Record<string, string | number | null>>;

function cellsOf(result: CheckResult, showPasswords: boolean): Cells {
  const { line, proxy, ok, protocol, latency_ms, phase, reason, status, exit_ip } = recordOf(
    result,
    showPasswords,
  );
  const { connect, tls, first_byte } = latency_ms;
  return {
    line,
    proxy,
    ok: ok ? 'ok' : 'bad',
    protocol,
    'connect ms': whole(connect),
    'tls ms': whole(tls),
    'first byte ms': whole(first_byte),
    phase,
    reason,
    status,
    'exit ip': exit_ip,
  };
}

function whole(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms);
}

const right = new Set(['line', 'connect ms', 'tls ms', 'first byte ms', 'status']);

/** Two blanks between columns, no borders: what a person reads and `awk` takes apart. */
const edge = { left: '', mid: '', right: '', other: '' };
const style = {
  headerTop: edge,
  headerBottom: edge,
  tableBottom: edge,
  vertical: ' ',
  rowSeparator: edge,
};

/** For people. Columns that are empty in every row are left out. */
export function toTable(
  results: readonly CheckResult[],
  showPasswords: boolean,
  stream: Output,
): string {
  if (results.length === 0) return '';
  const rows = results.map((result) => cellsOf(result, showPasswords));
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
  const [header = '', ...lines] = table.render().split('\n').map(trimmed).filter(notEmpty);
  const painted = lines.map((line, i) =>
    paint(stream, results[i]?.outcome.ok === true ? 'green' : 'red', line),
  );
  return `${[paint(stream, 'bold', header), ...painted].join('\n')}\n`;
}

function trimmed(line: string): string {
  return line.slice(2).trimEnd();
}

function notEmpty(line: string): boolean {
  return line !== '';
}
