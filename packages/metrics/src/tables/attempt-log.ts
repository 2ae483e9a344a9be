import type { AttemptEnd } from '@whirl/events';
import {
  blameIndex,
  blames,
  failureReasons,
  outcomeIndex,
  outcomes,
  phaseIndex,
  phases,
} from './label-sets.ts';
import { hourMs } from './hour-ring.ts';
import type { TargetCounts } from './target-counts.ts';
import { TextColumn } from './text-column.ts';

/** Attempts held at most. */
export const maxAttempts = 10_000;

const originLength = 64;
const noReason = 255;
/** Error codes told apart; what comes after them is kept as `other`. */
const maxCodes = 255;

/** The attempts of the last hour, at most 10,000, in columns of fixed size: 1.4 MB. */
export class AttemptLog {
  readonly #targets: TargetCounts;
  readonly #at = new Float64Array(maxAttempts);
  readonly #latencyMs = new Float64Array(maxAttempts);
  readonly #delayBeforeMs = new Float64Array(maxAttempts);
  readonly #requestIds = new TextColumn(maxAttempts, 36);
  /** Rows of the targets that are counted apart, which keep their rows; 0 for the others. */
  readonly #targetRows = new Uint16Array(maxAttempts);
  /** The origins of the others. */
  readonly #origins = new TextColumn(maxAttempts, originLength);
  readonly #proxyIds: string[] = [];
  readonly #statusCodes = new Uint16Array(maxAttempts);
  readonly #errorCodes = new Uint8Array(maxAttempts);
  readonly #attempts = new Uint16Array(maxAttempts);
  readonly #hedges = new Uint8Array(maxAttempts);
  readonly #outcomes = new Uint8Array(maxAttempts);
  readonly #blames = new Uint8Array(maxAttempts);
  readonly #phases = new Uint8Array(maxAttempts);
  readonly #reasons = new Uint8Array(maxAttempts);
  readonly #codeNumbers = new Map<string, number>();
  readonly #codes: string[] = ['other'];
  #written = 0;

  constructor(targets: TargetCounts) {
    this.#targets = targets;
  }

  /** With the row of its target and the number of its failure reason; `undefined` after a success. */
  record(event: AttemptEnd, targetRow: number, reason: number | undefined): void {
    const row = this.#written++ % maxAttempts;
    this.#at[row] = event.at;
    this.#latencyMs[row] = event.latencyMs;
    this.#delayBeforeMs[row] = event.delayBeforeMs;
    this.#requestIds.write(row, event.requestId);
    this.#targetRows[row] = targetRow;
    if (targetRow === 0) this.#origins.write(row, event.origin);
    this.#proxyIds[row] = event.proxyId;
    this.#statusCodes[row] = event.statusCode ?? 0;
    this.#errorCodes[row] = event.errorCode === undefined ? 0 : this.#codeOf(event.errorCode);
    this.#attempts[row] = event.attempt;
    this.#hedges[row] = event.hedge ? 1 : 0;
    this.#outcomes[row] = outcomeIndex[event.outcome];
    this.#blames[row] = blameIndex[event.blame];
    this.#phases[row] = phaseIndex[event.phase];
    this.#reasons[row] = reason ?? noReason;
  }

  /** How many there are since an hour before `now`. */
  count(now: number): number {
    const held = Math.min(this.#written, maxAttempts);
    let count = 0;
    while (count < held && this.#at[this.#rowBack(count)]! >= now - hourMs) count++;
    return count;
  }

  /** Those since an hour before `now`, newest first, at most `limit`. */
  read(now: number, limit: number): AttemptEnd[] {
    const length = Math.min(limit, this.count(now));
    return Array.from({ length }, (_, i) => this.#event(this.#rowBack(i)));
  }

  /** The row written `back` writes before the last. */
  #rowBack(back: number): number {
    return (this.#written - 1 - back) % maxAttempts;
  }

  #event(row: number): AttemptEnd {
    const statusCode = this.#statusCodes[row]!;
    const errorCode = this.#errorCodes[row]!;
    const reason = this.#reasons[row]!;
    return {
      requestId: this.#requestIds.read(row),
      attempt: this.#attempts[row]!,
      proxyId: this.#proxyIds[row]!,
      origin: this.#originOf(row),
      outcome: outcomes[this.#outcomes[row]!]!,
      blame: blames[this.#blames[row]!]!,
      phase: phases[this.#phases[row]!]!,
      ...(statusCode === 0 ? {} : { statusCode }),
      ...(errorCode === 0 ? {} : { errorCode: this.#codes[errorCode % maxCodes]! }),
      ...(reason === noReason ? {} : { reason: failureReasons[reason]! }),
      latencyMs: this.#latencyMs[row]!,
      delayBeforeMs: this.#delayBeforeMs[row]!,
      hedge: this.#hedges[row] === 1,
      at: this.#at[row]!,
    };
  }

  #originOf(row: number): string {
    const targetRow = this.#targetRows[row]!;
    if (targetRow === 0) return this.#origins.read(row);
    return this.#targets.nameOf(targetRow).slice(0, originLength);
  }

  /** 1 to 254, or 255 when there are too many: `other`. */
  #codeOf(errorCode: string): number {
    const known = this.#codeNumbers.get(errorCode);
    if (known !== undefined) return known;
    if (this.#codes.length >= maxCodes || errorCode.length > 64) return maxCodes;
    this.#codeNumbers.set(errorCode, this.#codes.length);
    return this.#codes.push(errorCode) - 1;
  }
}
