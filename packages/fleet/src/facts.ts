/** What the processes of a fleet tell each other. */
export type Fact =
  /** Failures of a proxy since the last row: how many, how many of them in a row at the end, and what they took. */
  | {
      readonly kind: 'failing';
      readonly id: string;
      readonly failures: number;
      readonly run: number;
      readonly latencyMs: number;
    }
  /** A proxy that others report failing works here. */
  | { readonly kind: 'working'; readonly id: string }
  /** A circuit opened, or its test failed. */
  | { readonly kind: 'opened'; readonly id: string; readonly remainingMs: number }
  /** A circuit closed after a test that no lease was needed for. */
  | { readonly kind: 'closed'; readonly id: string }
  /** A rule banned a proxy, for one target or for all. */
  | {
      readonly kind: 'banned';
      readonly id: string;
      readonly remainingMs: number;
      readonly target?: string | undefined;
    }
  /** A proxy refused these credentials. */
  | {
      readonly kind: 'unauthorized';
      readonly id: string;
      readonly remainingMs: number;
      readonly fingerprint: string;
    }
  /** A person took a proxy out of every process, or lifted that. */
  | { readonly kind: 'forced'; readonly id: string }
  | { readonly kind: 'reset'; readonly id: string };

/** One letter each: rows are most of what the store holds. */
const letters = {
  failing: 'f',
  working: 'w',
  opened: 'o',
  closed: 'c',
  banned: 'b',
  unauthorized: 'a',
  forced: 'x',
  reset: 'r',
} as const satisfies Record<Fact['kind'], string>;

/** A remaining time that no process means: 30 days. */
const longestMs = 30 * 86_400_000;

export function encodeFacts(facts: readonly Fact[]): string {
  return JSON.stringify(
    facts.map((fact) => {
      const head = [letters[fact.kind], fact.id];
      switch (fact.kind) {
        case 'failing':
          return [...head, fact.failures, fact.run, Math.round(fact.latencyMs)];
        case 'opened':
          return [...head, Math.round(fact.remainingMs)];
        case 'banned':
          return [
            ...head,
            Math.round(fact.remainingMs),
            ...(fact.target === undefined ? [] : [fact.target]),
          ];
        case 'unauthorized':
          return [...head, Math.round(fact.remainingMs), fact.fingerprint];
        default:
          return head;
      }
    }),
  );
}

/** What can be understood of a batch, and how many rows could not. Never throws: the log is not ours alone. */
export function decodeFacts(batch: string): { facts: Fact[]; garbage: number } {
  let rows: unknown;
  try {
    rows = JSON.parse(batch);
  } catch {
    return { facts: [], garbage: 1 };
  }
  if (!Array.isArray(rows)) return { facts: [], garbage: 1 };
  const facts = rows.map(factOf).filter((fact) => fact !== undefined);
  return { facts, garbage: rows.length - facts.length };
}

function factOf(row: unknown): Fact | undefined {
  if (!Array.isArray(row)) return undefined;
  const [letter, id, first, second, third] = row as unknown[];
  if (typeof id !== 'string' || id === '') return undefined;
  switch (letter) {
    case letters.failing:
      if (!isCount(first) || !isCount(second) || !isTime(third)) return undefined;
      return { kind: 'failing', id, failures: first, run: second, latencyMs: third };
    case letters.working:
      return { kind: 'working', id };
    case letters.opened:
      return isTime(first) ? { kind: 'opened', id, remainingMs: first } : undefined;
    case letters.closed:
      return { kind: 'closed', id };
    case letters.banned:
      if (!isTime(first) || !(second === undefined || isName(second))) return undefined;
      return { kind: 'banned', id, remainingMs: first, target: second };
    case letters.unauthorized:
      if (!isTime(first) || !isName(second)) return undefined;
      return { kind: 'unauthorized', id, remainingMs: first, fingerprint: second };
    case letters.forced:
      return { kind: 'forced', id };
    case letters.reset:
      return { kind: 'reset', id };
    default:
      return undefined;
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= longestMs;
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

/** What a hold is about. The lease of a test has the field of its open circuit. */
export type Held =
  | { readonly kind: 'open'; readonly id: string }
  | { readonly kind: 'banned'; readonly id: string; readonly target?: string | undefined }
  | { readonly kind: 'unauthorized'; readonly id: string; readonly fingerprint: string }
  | { readonly kind: 'forced'; readonly id: string };

const heldLetters = { open: 'o', banned: 'b', unauthorized: 'a', forced: 'x' } as const;

export function holdOf(held: Held): string {
  const row = [heldLetters[held.kind], held.id];
  if (held.kind === 'banned' && held.target !== undefined) row.push(held.target);
  if (held.kind === 'unauthorized') row.push(held.fingerprint);
  return JSON.stringify(row);
}

/** Undefined for what cannot be understood. */
export function heldOf(field: string): Held | undefined {
  let row: unknown;
  try {
    row = JSON.parse(field);
  } catch {
    return undefined;
  }
  if (!Array.isArray(row)) return undefined;
  const [letter, id, last] = row as unknown[];
  if (!isName(id)) return undefined;
  if (letter === heldLetters.open) return { kind: 'open', id };
  if (letter === heldLetters.forced) return { kind: 'forced', id };
  if (letter === heldLetters.banned && (last === undefined || isName(last))) {
    return { kind: 'banned', id, target: last };
  }
  if (letter === heldLetters.unauthorized && isName(last)) {
    return { kind: 'unauthorized', id, fingerprint: last };
  }
  return undefined;
}
