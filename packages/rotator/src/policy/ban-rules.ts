import {
  above,
  check,
  checkEach,
  checkNames,
  func,
  integer,
  nearestName,
  object,
  string,
} from '@whirl/check';

/**
 * The verdict of a rule on a response. `ok`: it is returned, whatever its status. `retry`: try again, nothing
 * is to blame. `fatal`: it is returned as a failure, nothing is tried again. `banTarget`: this proxy is
 * avoided for this origin for a while. `banProxy`: the proxy's circuit opens for that long.
 * `throttle`: the same, but the proxy is not to blame for it. After a ban the request is tried
 * again, as its policy allows; without a further attempt the response is returned.
 */
export type Verdict =
  | 'ok'
  | 'retry'
  | 'fatal'
  | { readonly action: 'banTarget' | 'banProxy' | 'throttle'; readonly forMs: number };

/** The result of all rules: `'none'` of them had a verdict, or the first that had one. */
export type Found = 'none' | { readonly rule: string; readonly verdict: Verdict };

/** A response as a rule gets it. */
export interface JudgedResponse {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string | string[]>>;
  /** The first bytes as they came (perhaps compressed); empty without `bodyBytes`. */
  readonly body: Buffer;
  readonly method: string;
  readonly origin: string;
  readonly proxyId: string;
}

/** Recognises responses that look good and are a block, a captcha or a limit. */
export interface BanRule {
  /** Shown in `proxy:banned`. */
  readonly name: string;
  /** How much of the body to wait for before `judge` is asked. 0 to 1,048,576, default 0. */
  readonly bodyBytes?: number | undefined;
  /**
   * The first rule with a verdict decides; undefined leaves it to the next one. Anything else, a promise
   * included, ends the request with a TypeError that names the rule.
   */
  judge(response: JudgedResponse): Verdict | undefined;
}

const durationMs = above(0);
const kinds = { name: string, bodyBytes: integer(0, 1_048_576), judge: func };
const names = Object.keys(kinds);

function ban(action: 'banTarget' | 'banProxy' | 'throttle', forMs: number): Verdict {
  check('forMs', forMs, durationMs);
  return { action, forMs };
}

/** The proxy is avoided for this origin for `forMs` milliseconds, and used for others. */
export const banTarget = (forMs: number): Verdict => ban('banTarget', forMs);
/** The proxy's circuit opens for `forMs` milliseconds; the failure counts against the proxy. */
export const banProxy = (forMs: number): Verdict => ban('banProxy', forMs);
/** The proxy rests for `forMs` milliseconds; nothing counts against it. */
export const throttle = (forMs: number): Verdict => ban('throttle', forMs);

/** Throws a TypeError or RangeError that names the rule and the option. */
export function checkBanRules(rules: readonly BanRule[]): readonly BanRule[] {
  checkEach('banRules', rules, object, 'an array of rules');
  rules.forEach((rule, i) => {
    // A rule may have fields of its own, but not one that is meant to be another.
    for (const own of Object.keys(rule)) {
      if (nearestName(own, names) !== undefined) checkNames(`banRules[${i}]`, { [own]: 0 }, names);
    }
    for (const [name, kind] of Object.entries(kinds)) {
      const value: unknown = rule[name as keyof BanRule];
      if (value !== undefined || kind !== kinds.bodyBytes) {
        check(`banRules[${i}].${name}`, value, kind);
      }
    }
  });
  return Object.freeze([...rules]);
}
