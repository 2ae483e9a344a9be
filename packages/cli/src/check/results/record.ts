import { addressOf, type CheckResult } from './result.ts';

/** A result as JSON has it: snake_case, times in milliseconds, null where nothing is known. */
export function recordOf(result: CheckResult, showPasswords: boolean) {
  const { line, protocol, outcome, checkedAt } = result;
  const { ok, connectMs, tlsMs, firstByteMs, phase, reason, status, exitIp } = outcome;
  return {
    line,
    proxy: addressOf(result, showPasswords),
    ok,
    protocol: protocol ?? null,
    latency_ms: {
      connect: rounded(connectMs),
      tls: rounded(tlsMs),
      first_byte: rounded(firstByteMs),
    },
    phase: phase ?? null,
    reason: reason ?? null,
    status: status ?? null,
    exit_ip: exitIp ?? null,
    checked_at: new Date(checkedAt).toISOString(),
  };
}

/** A tenth of a millisecond is all that a clock under load tells. */
function rounded(ms: number | undefined): number | null {
  return ms === undefined ? null : Math.round(ms * 10) / 10;
}
