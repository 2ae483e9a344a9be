import { createHash } from 'node:crypto';

/** What came of a request, in words that whirl and curl share. */
export interface Outcome {
  /** Of the response; of the proxy's own when `refusedBy` says so. */
  readonly status?: number | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  /** The body, or its hash when it is long. */
  readonly body?: string;
  /** Where the proxy refused: in its response to CONNECT, in SOCKS, or as it wants other credentials. */
  readonly refusedBy?: 'connect' | 'socks' | 'authentication';
  /** The code of a SOCKS5 refusal. */
  readonly reply?: number | undefined;
  /** Neither a response nor a refusal. */
  readonly failed?: string;
}

const compared = new Set(['content-type', 'content-encoding', 'etag']);

/** Error pages tell the time and the client's address: of those, status and type are compared. */
export function withoutErrorPage(outcome: Outcome): Outcome {
  return (outcome.status ?? 0) >= 400 ? { ...outcome, body: '' } : outcome;
}

/** The headers that a proxy has to pass on as they are. */
export function endToEnd(
  all: Readonly<Record<string, string | readonly string[] | undefined>>,
): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(all)) {
    if (compared.has(name) && value !== undefined) kept[name] = String(value);
  }
  return kept;
}

export function bodyOf(bytes: Buffer): string {
  if (bytes.length <= 200) return bytes.toString('latin1');
  return `${bytes.length} ${createHash('sha256').update(bytes).digest('hex')}`;
}

/** An outcome in the table: `ok`, or what the proxy said instead. */
export function markOf({ status, refusedBy, reply, failed }: Outcome): string {
  if (failed !== undefined) return failed;
  if (refusedBy === 'connect') return `CONNECT ${status}`;
  if (refusedBy === 'socks') return reply === undefined ? 'SOCKS' : `SOCKS ${reply}`;
  if (refusedBy === 'authentication') return status === undefined ? 'refused' : String(status);
  return status !== undefined && status < 400 ? 'ok' : String(status);
}
