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
  | { readonly kind: 'reset'; readonly id: string }
  /** A session moved to a proxy, other than where its hash says. */
  | {
      readonly kind: 'moved';
      readonly id: string;
      readonly remainingMs: number;
      readonly session: string;
    }
  /** Of the process itself, not of a proxy: its own network is in doubt, is well again, or it leaves. */
  | { readonly kind: 'process'; readonly id: ProcessWord };

export type ProcessWord = 'suspect' | 'well' | 'left';
const words: readonly string[] = ['suspect', 'well', 'left'] satisfies ProcessWord[];

type Field =
  'failures' | 'run' | 'latencyMs' | 'remainingMs' | 'target' | 'fingerprint' | 'session';

/** What each fact is in a batch: a letter, since rows are most of what the store holds, the id, and these fields. */
const forms: Readonly<Record<Fact['kind'], readonly [letter: string, ...Field[]]>> = {
  failing: ['f', 'failures', 'run', 'latencyMs'],
  working: ['w'],
  opened: ['o', 'remainingMs'],
  closed: ['c'],
  banned: ['b', 'remainingMs', 'target'],
  unauthorized: ['a', 'remainingMs', 'fingerprint'],
  forced: ['x'],
  reset: ['r'],
  moved: ['m', 'remainingMs', 'session'],
  process: ['p'],
};

const kindOf = new Map(
  (Object.keys(forms) as Fact['kind'][]).map((kind) => [forms[kind][0], kind]),
);

/** A remaining time that no process means: 30 days. */
const longestMs = 30 * 86_400_000;

/** A list of rows: a letter, and the values of one fact after another of that kind. */
export function encodeFacts(facts: readonly Fact[]): string {
  const rows: unknown[][] = [];
  for (const fact of facts) {
    const [letter, ...fields] = forms[fact.kind];
    const given = fields.map((field) => (fact as unknown as Record<Field, unknown>)[field]);
    const values = [fact.id, ...given.filter(isGiven).map(rounded)];
    const last = rows.at(-1);
    // A ban may have no target: where the next one begins could not be told.
    if (last?.[0] === letter && fact.kind !== 'banned') last.push(...values);
    else rows.push([letter, ...values]);
  }
  return JSON.stringify(rows);
}

const isGiven = (value: unknown) => value !== undefined;
const rounded = (value: unknown) => (typeof value === 'number' ? Math.round(value) : value);

/**
 * Reads a batch. `hear` gets each fact, with the pool's id of its proxy: null when `idOf` does not know it, as is usual in
 * a large fleet; undefined for what cannot be understood. Never throws: the log is not ours alone.
 */
export function readFacts(
  batch: string,
  idOf: (name: string) => string | undefined,
  hear: (fact: Fact | null | undefined) => void,
): void {
  for (const row of listOf(batch) ?? [undefined]) {
    const values: unknown[] = Array.isArray(row) ? row : [];
    const kind = kindOf.get(values[0] as string);
    let at = 1;
    do {
      hear(kind && factOf(kind, values, at, idOf));
      at += kind ? forms[kind].length : Infinity;
    } while (at < values.length);
  }
}

/** The fact that begins at a place of a row. */
function factOf(
  kind: Fact['kind'],
  values: readonly unknown[],
  at: number,
  idOf: (name: string) => string | undefined,
): Fact | null | undefined {
  const name = values[at];
  if (!isName(name)) return undefined;
  const id = kind === 'process' ? words.find((word) => word === name) : (idOf(name) ?? null);
  if (!id) return id as null | undefined;
  const fact: Record<string, unknown> = { kind, id };
  const form = forms[kind];
  for (let i = 1; i < form.length; i++) {
    const field = form[i] as Field;
    if (!isValue(field, (fact[field] = values[at + i]))) return undefined;
  }
  return fact as unknown as Fact;
}

function isValue(field: Field, value: unknown): boolean {
  if (field === 'target') return value === undefined || isName(value);
  if (field === 'fingerprint' || field === 'session') return isName(value);
  if (typeof value !== 'number' || !(value >= 0)) return false;
  return field.endsWith('Ms') ? value <= longestMs : Number.isSafeInteger(value);
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function listOf(text: string): unknown[] | undefined {
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) ? (list as unknown[]) : undefined;
  } catch {
    return undefined;
  }
}

/** What a hold is about. The lease of a test has the field of its open circuit. */
export type Held =
  | { readonly kind: 'open'; readonly id: string }
  | { readonly kind: 'banned'; readonly id: string; readonly target?: string | undefined }
  | { readonly kind: 'unauthorized'; readonly id: string; readonly fingerprint: string }
  | { readonly kind: 'moved'; readonly id: string; readonly session: string }
  | { readonly kind: 'forced'; readonly id: string };

const heldLetters = { open: 'o', banned: 'b', unauthorized: 'a', moved: 'm', forced: 'x' } as const;

export function holdOf({ kind, id, ...rest }: Held): string {
  return JSON.stringify([heldLetters[kind], id, ...Object.values(rest).filter(isGiven)]);
}

/** Undefined for what cannot be understood. */
export function heldOf(field: string): Held | undefined {
  const [letter, id, last] = listOf(field) ?? [];
  if (!isName(id)) return undefined;
  if (letter === heldLetters.open) return { kind: 'open', id };
  if (letter === heldLetters.forced) return { kind: 'forced', id };
  if (letter === heldLetters.banned && (last === undefined || isName(last))) {
    return { kind: 'banned', id, target: last };
  }
  if (!isName(last)) return undefined;
  if (letter === heldLetters.moved) return { kind: 'moved', id, session: last };
  if (letter === heldLetters.unauthorized) return { kind: 'unauthorized', id, fingerprint: last };
  return undefined;
}
