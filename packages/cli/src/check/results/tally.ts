import { count, duration, listed } from '../../terminal/terminal.ts';
import type { CheckResult } from './result.ts';

/** Counts results as they come. */
export class Tally {
  readonly total: number;
  ok = 0;
  /** By protocol of those that work, and by reason of the others. */
  readonly protocols = new Map<string, number>();
  readonly reasons = new Map<string, number>();
  readonly #startedAt: number;
  readonly #now: () => number;

  constructor(total: number, now: () => number) {
    this.total = total;
    this.#now = now;
    this.#startedAt = now();
  }

  get done(): number {
    return this.ok + this.bad;
  }

  get bad(): number {
    let sum = 0;
    for (const each of this.reasons.values()) sum += each;
    return sum;
  }

  add({ protocol = 'http', outcome: { ok, reason = 'timeout' } }: CheckResult): void {
    if (ok) this.ok++;
    const [map, key] = ok ? [this.protocols, protocol] : [this.reasons, reason];
    map.set(key, (map.get(key) ?? 0) + 1);
  }

  get #elapsedMs(): number {
    return this.#now() - this.#startedAt;
  }

  /** Results a second. */
  get #rate(): number {
    return (this.done * 1000) / Math.max(1, this.#elapsedMs);
  }

  /** `1,200/10,000  ok 300  bad 900 (timeout 700, tcp 200)  85/s  ETA 12 s`. */
  get progress(): string {
    const { done, total, ok, bad } = this;
    const why = bad === 0 ? '' : ` (${listed(this.reasons)})`;
    const left = done === 0 ? '' : `  ETA ${duration(((total - done) / this.#rate) * 1000)}`;
    return `${count(done)}/${count(total)}  ok ${count(ok)}  bad ${count(bad)}${why}  ${Math.round(this.#rate)}/s${left}`;
  }

  /** `412 of 5,000 work (http 300, socks5 112); bad: timeout 3,000, tcp 1,588; 52 s, 96/s`. */
  get summary(): string {
    const { done, total, ok, bad } = this;
    const parts = [
      `${count(ok)} of ${count(total)} work${ok === 0 ? '' : ` (${listed(this.protocols)})`}`,
    ];
    if (bad > 0) parts.push(`bad: ${listed(this.reasons)}`);
    if (done < total) parts.push(`not checked: ${count(total - done)}`);
    parts.push(`${duration(this.#elapsedMs)}, ${Math.round(this.#rate)}/s`);
    return parts.join('; ');
  }
}
