import type { JudgedResponse, BanRule, Found } from './ban-rules.ts';

const words = new Set<unknown>(['ok', 'retry', 'fatal']);
const actions = new Set<unknown>(['banTarget', 'banProxy', 'throttle']);

/** Rules are the user's own, and often untyped: a promise, for one, would count as a ban without an end. */
function checkVerdict(rule: string, verdict: unknown): void {
  if (verdict === undefined || words.has(verdict)) return;
  const { action, forMs } = (verdict ?? {}) as { action?: unknown; forMs?: unknown };
  if (actions.has(action) && Number.isFinite(forMs) && (forMs as number) > 0) return;
  throw new TypeError(
    `the ban rule "${rule}" must say 'ok', 'retry', 'fatal', banTarget(ms), banProxy(ms), throttle(ms) ` +
      `or undefined, and at once; got ${shown(verdict)}`,
  );
}

function shown(verdict: unknown): string {
  if (verdict instanceof Promise) {
    // Its own rejection would end the process.
    verdict.catch(() => {});
    return 'a promise';
  }
  if (typeof verdict === 'function') return 'a function';
  const { action, forMs } = (verdict ?? {}) as { action?: unknown; forMs?: unknown };
  if (actions.has(action) && typeof forMs === 'number')
    return `${String(action)} with forMs ${forMs}`;
  return JSON.stringify(verdict) ?? String(verdict);
}

/** The verdict of the ban rules on one response. They are asked again as more of its body comes. */
export class Judgement {
  readonly #rules: readonly BanRule[];
  readonly #response: Omit<JudgedResponse, 'body'>;
  readonly #chunks: Buffer[] = [];
  #size = 0;
  #next = 0;

  constructor(rules: readonly BanRule[], response: Omit<JudgedResponse, 'body'>) {
    this.#rules = rules;
    this.#response = response;
  }

  /** The part of the body that was held back so far. */
  get body(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  add(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
  }

  /** The verdict and its rule; `'none'` when no rule has one; undefined: more body is needed. */
  ask(ended: boolean): Found | undefined {
    for (let rule = this.#rules[this.#next]; rule !== undefined; rule = this.#rules[++this.#next]) {
      const { bodyBytes = 0 } = rule;
      if (!ended && this.#size < bodyBytes) return undefined;
      const body = bodyBytes === 0 ? Buffer.alloc(0) : this.body.subarray(0, bodyBytes);
      const verdict = rule.judge({ ...this.#response, body });
      checkVerdict(rule.name, verdict);
      if (verdict !== undefined) return { rule: rule.name, verdict };
    }
    return 'none';
  }
}
