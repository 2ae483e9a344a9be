import type { CheckResult } from './result.ts';
import { recordOf } from './record.ts';

const columns = [
  ...['line', 'proxy', 'ok', 'protocol', 'connect_ms', 'tls_ms', 'first_byte_ms'],
  ...['phase', 'reason', 'status', 'exit_ip', 'checked_at'],
];

/** RFC 4180, but with the line ends of text files. */
export function toCsv(results: readonly CheckResult[], showPasswords: boolean): string {
  const rows = results.map((result) => {
    const { latency_ms, ...rest } = recordOf(result, showPasswords);
    const { connect, tls, first_byte } = latency_ms;
    const { line, proxy, ok, protocol, phase, reason, status, exit_ip, checked_at } = rest;
    const start = [line, proxy, ok, protocol, connect, tls, first_byte];
    return [...start, phase, reason, status, exit_ip, checked_at];
  });
  return [columns, ...rows].map((row) => `${row.map(cell).join(',')}\n`).join('');
}

function cell(value: string | number | boolean | null): string {
  const text = value === null ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
