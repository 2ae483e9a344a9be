import { tableLines, type Cells } from '../../terminal/table.ts';
import { paint, type Output } from '../../terminal/terminal.ts';
import type { CheckResult } from './result.ts';
import { recordOf } from './record.ts';

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

/** For people: what works in green, the rest in red. */
export function toTable(
  results: readonly CheckResult[],
  showPasswords: boolean,
  stream: Output,
): string {
  const rows = results.map((result) => cellsOf(result, showPasswords));
  const lines = tableLines(rows, right).map((line, i) => {
    if (i === 0) return paint(stream, 'bold', line);
    return paint(stream, results[i - 1]?.outcome.ok === true ? 'green' : 'red', line);
  });
  return lines.map((line) => `${line}\n`).join('');
}
