import type { WirePolicy } from './wire.ts';

/** One field of the retry policy as the form shows it. */
export interface PolicyField {
  readonly name: string;
  readonly label: string;
  readonly kind: 'number' | 'switch' | 'choice' | 'codes' | 'text';
  readonly unit?: string;
  readonly choices?: readonly string[];
  /** What an empty box means; without it, an empty box is sent as it is, for the server to judge. */
  readonly empty?: string;
  readonly hint?: string;
}

export interface PolicyGroup {
  readonly title: string;
  readonly fields: readonly PolicyField[];
}

const s = 'seconds';

/** Every field that the form knows, in the order of the form. */
export const policyGroups: readonly PolicyGroup[] = [
  {
    title: 'Attempts',
    fields: [
      {
        name: 'max_attempts',
        label: 'Attempts in all',
        kind: 'number',
        hint: 'Counts the first try: 1 means no retries.',
      },
      {
        name: 'retry_status_codes',
        label: 'Statuses to retry',
        kind: 'codes',
        hint: 'Separated by commas or spaces.',
      },
      {
        name: 'retry_non_idempotent',
        label: 'Retry POST, PUT and PATCH too',
        kind: 'switch',
        hint: 'The target may see such a request twice.',
      },
      {
        name: 'failover_on_proxy_auth',
        label: 'Fail over when a proxy refuses its credentials',
        kind: 'switch',
      },
    ],
  },
  {
    title: 'Waiting',
    fields: [
      {
        name: 'backoff_strategy',
        label: 'Backoff',
        kind: 'choice',
        choices: ['exponential', 'linear', 'fixed'],
      },
      { name: 'base_delay', label: 'First delay', kind: 'number', unit: s },
      { name: 'multiplier', label: 'Multiplier', kind: 'number', unit: '×' },
      { name: 'max_backoff_delay', label: 'Longest delay', kind: 'number', unit: s },
      { name: 'jitter', label: 'Vary delays at random', kind: 'switch' },
      {
        name: 'failover_delay',
        label: 'Before another proxy takes over',
        kind: 'choice',
        choices: ['backoff', 'none'],
        hint: 'none: no wait when the proxy was to blame.',
      },
      { name: 'respect_retry_after', label: 'Obey Retry-After', kind: 'switch' },
      { name: 'max_retry_after', label: 'Longest Retry-After', kind: 'number', unit: s },
    ],
  },
  {
    title: 'Deadlines',
    fields: [
      {
        name: 'timeout',
        label: 'Whole request',
        kind: 'number',
        unit: s,
        empty: 'none',
        hint: 'Delays, attempts and body together.',
      },
      {
        name: 'attempt_timeout',
        label: 'One attempt',
        kind: 'number',
        unit: s,
        hint: 'To the response headers.',
      },
      {
        name: 'connect_timeout',
        label: 'Connection',
        kind: 'number',
        unit: s,
        hint: 'Through the proxy, inside one attempt.',
      },
      {
        name: 'body_timeout',
        label: 'Silence in a body',
        kind: 'number',
        unit: s,
        hint: '0: no bound.',
      },
      { name: 'name', label: 'Name in the metrics', kind: 'text', empty: 'none' },
    ],
  },
];

/** What the boxes hold, by field name; switches hold "true" or "false". */
export type PolicyTexts = Readonly<Record<string, string>>;

/** The groups with those fields that this server's policy has. */
export function groupsOf(policy: WirePolicy): readonly PolicyGroup[] {
  return policyGroups
    .map(({ title, fields }) => ({ title, fields: fields.filter(({ name }) => name in policy) }))
    .filter(({ fields }) => fields.length > 0);
}

/** The policy as text for the boxes. */
export function toTexts(policy: WirePolicy): PolicyTexts {
  const texts: Record<string, string> = {};
  for (const { fields } of groupsOf(policy)) {
    for (const { name } of fields) {
      const value = policy[name];
      if (Array.isArray(value)) texts[name] = value.join(', ');
      else if (typeof value === 'string') texts[name] = value;
      else texts[name] = value === null || value === undefined ? '' : JSON.stringify(value);
    }
  }
  return texts;
}

/** The body of a PATCH: only the fields whose text was changed. */
export function toPatch(policy: WirePolicy, texts: PolicyTexts): Record<string, unknown> {
  const before = toTexts(policy);
  const patch: Record<string, unknown> = {};
  for (const { fields } of groupsOf(policy)) {
    for (const field of fields) {
      const text = texts[field.name] ?? '';
      if (text.trim() !== before[field.name]?.trim())
        patch[field.name] = toWire(field, text.trim());
    }
  }
  return patch;
}

/**
 * What is no number is sent as the text it is: the server alone knows the bounds, and its message
 * is the one shown.
 */
function toWire(field: PolicyField, text: string): unknown {
  if (text === '' && field.empty !== undefined) return null;
  switch (field.kind) {
    case 'number':
      return toNumber(text);
    case 'switch':
      return text === 'true';
    case 'codes':
      return text
        .split(/[\s,;]+/)
        .filter(Boolean)
        .map(toNumber);
    default:
      return text;
  }
}

function toNumber(text: string): number | string {
  const value = Number(text);
  return text === '' || Number.isNaN(value) ? text : value;
}

/** The server's messages, put beside the fields they are about. */
export interface FieldErrors {
  readonly byField: Readonly<Record<string, string>>;
  /** Those about something that the form does not show. */
  readonly others: readonly string[];
}

/** `details` of a 400; a message about one item ("retry_status_codes.2") goes to its field. */
export function placeErrors(
  details: Readonly<Record<string, unknown>>,
  shown: readonly string[],
): FieldErrors {
  const byField: Record<string, string> = {};
  const others: string[] = [];
  for (const [path, given] of Object.entries(details)) {
    const message = typeof given === 'string' ? given : JSON.stringify(given);
    const name = path.split(/[.[]/, 1)[0] ?? path;
    if (!shown.includes(name)) others.push(`${path}: ${message}`);
    else byField[name] = byField[name] === undefined ? message : `${byField[name]}; ${message}`;
  }
  return { byField, others };
}
