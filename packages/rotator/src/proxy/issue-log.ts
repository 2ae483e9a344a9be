import { InvalidProxyError, type ProxyIssue } from '../errors.ts';
import type { Refusal } from './refusal.ts';

const maxKept = 20;
const maxLength = 299;
const maxShown = 3;

interface Group {
  readonly first: ProxyIssue;
  count: number;
}

const number = (value: number) => value.toLocaleString('en-US');

/** One entry that is not a proxy. */
export function issueOf(line: number, message: string): ProxyIssue {
  const reason = message.length > maxLength ? `${message.slice(0, maxLength - 1)}…` : message;
  return { line, reason };
}

/** What was wrong in a list, in bounded memory however much it was. */
export class IssueLog {
  readonly #place: 'line' | 'entry';
  readonly #unit: string;
  /** By reason, in the order in which they were met. */
  readonly #groups = new Map<string, Group>();
  readonly first: ProxyIssue[] = [];
  count = 0;

  constructor(place: 'line' | 'entry', unit: 'lines' | 'entries') {
    this.#place = place;
    this.#unit = unit;
  }

  add(line: number, refusal: Refusal): void {
    const { why } = refusal;
    this.count++;
    const group = this.#groups.get(why);
    if (group !== undefined) group.count++;
    if (this.first.length === maxKept && (group !== undefined || this.#groups.size === maxKept)) {
      return;
    }
    const issue = issueOf(line, refusal.message);
    if (this.first.length < maxKept) this.first.push(issue);
    if (group === undefined && this.#groups.size < maxKept) {
      this.#groups.set(why, { first: issue, count: 1 });
    }
  }

  /** The error for the whole list of `total`; `because` goes on after the count. */
  error(total: number, because = ''): InvalidProxyError {
    const message =
      this.count === 1 && because === ''
        ? this.#where(this.first[0] as ProxyIssue)
        : `${this.#counted(total)}${because}: ${this.#summary()}`;
    return new InvalidProxyError(message, { issues: this.first, issueCount: this.count });
  }

  #counted(total: number): string {
    if (this.count < total) {
      const are = this.count === 1 ? 'is not a proxy' : 'are not proxies';
      return `${number(this.count)} of ${number(total)} ${this.#unit} ${are}`;
    }
    return `none of ${number(total)} ${this.#unit} is a proxy`;
  }

  /** A conflict names both of its places itself. */
  #isConflict({ reason }: ProxyIssue): boolean {
    return reason.startsWith(`${this.#place} `);
  }

  #where(issue: ProxyIssue): string {
    const { line, reason } = issue;
    return this.#isConflict(issue) ? reason : `${this.#place} ${line}: ${reason}`;
  }

  #repeated(why: string, { first, count }: Group): string {
    if (this.#isConflict(first))
      return `${first.reason} (and ${number(count - 1)} more like these)`;
    const where = this.#unit === 'entries' && this.#place === 'line' ? 'first on line' : 'first';
    return `${why} (${number(count)} ${this.#unit}, ${where} ${number(first.line)})`;
  }

  /** The first reasons, equal ones as one. */
  #summary(): string {
    let left = this.count;
    const parts: string[] = [];
    for (const [why, group] of this.#groups) {
      if (parts.length === maxShown) break;
      left -= group.count;
      parts.push(group.count === 1 ? this.#where(group.first) : this.#repeated(why, group));
    }
    if (left > 0) parts.push(`and ${number(left)} more`);
    return parts.join('; ');
  }
}
