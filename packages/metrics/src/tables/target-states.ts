import type { AttemptEnd } from '@whirl/events';
import { grown, NameTable, type RowOwner } from './name-table.ts';

/** What is known of a target: `unsure` before its first response, and after failures in a row. */
export const targetStates = ['up', 'unsure', 'down'] as const;
export type TargetState = (typeof targetStates)[number];

/** Targets whose state is held; beyond it the least recently used is forgotten. */
const maxTargets = 1000;
/** Failures in a row without a response that make a target `unsure`. */
const failuresToBeUnsure = 3;
const maxUint8 = 255;

/** Whether targets respond, as far as the facts that were heard tell. */
export class TargetStates implements RowOwner {
  readonly #names: NameTable;
  // By row.
  /** 1 from its first response on. */
  #heard = new Uint8Array(0);
  /** Failures in a row without a response. */
  #failures = new Uint8Array(0);
  /** 1 from `target:down` to its next response. */
  #down = new Uint8Array(0);

  constructor() {
    this.#names = new NameTable(maxTargets, this);
  }

  attempt(event: AttemptEnd): void {
    const row = this.#names.use(event.origin);
    if (responseCame(event)) this.#respond(row);
    else if (isSilence(event) && this.#failures[row]! < maxUint8) this.#failures[row]! += 1;
  }

  /** `target:down` was told. */
  wentDown(origin: string): void {
    this.#down[this.#names.use(origin)] = 1;
  }

  /** `target:up` was told. */
  cameUp(origin: string): void {
    this.#respond(this.#names.use(origin));
  }

  /** Targets by state. */
  count(): Record<TargetState, number> {
    const counts = { up: 0, unsure: 0, down: 0 };
    for (const [row] of this.#names.entries()) if (row !== 0) counts[this.#stateOf(row)]++;
    return counts;
  }

  grow(capacity: number): void {
    this.#heard = grown(this.#heard, capacity);
    this.#failures = grown(this.#failures, capacity);
    this.#down = grown(this.#down, capacity);
  }

  fold(row: number): void {
    this.#heard[row] = this.#failures[row] = this.#down[row] = 0;
  }

  #respond(row: number): void {
    this.#heard[row] = 1;
    this.#failures[row] = this.#down[row] = 0;
  }

  #stateOf(row: number): TargetState {
    if (this.#down[row] === 1) return 'down';
    return this.#heard[row] === 0 || this.#failures[row]! >= failuresToBeUnsure ? 'unsure' : 'up';
  }
}

/** A success that is strange (blame `route`) may be the proxy's own page, and so may a status in absolute form. */
function responseCame({ outcome, blame, phase, statusCode, origin }: AttemptEnd): boolean {
  if (outcome === 'success') return blame !== 'route';
  if (phase === 'body') return true;
  return phase === 'headers' && statusCode !== undefined && origin.startsWith('https:');
}

/** No proxy is known to have had a response, and the target may be to blame. */
function isSilence({ outcome, blame, reason }: AttemptEnd): boolean {
  return (
    outcome !== 'success' && reason !== 'banned' && (blame === 'target' || blame === 'unknown')
  );
}
