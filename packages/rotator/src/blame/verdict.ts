import { evidenceMs, type PairEvidence } from './pair-evidence.ts';

/** What is to blame for an uncertain failure. */
export type Verdict = 'proxy' | 'route' | 'target' | 'unknown';

/** The logarithm of the likelihood ratio from which the pair is to blame and not the origin. */
const convincing = 1;
/** The weight of what is assumed of an origin, in outcomes. */
const priorWeight = 3;
/** Failures that are assumed of an origin, per response, before anything is known. */
const originPrior = 0.02;
/** The same for a pair. */
const pairPrior = 0.3;
/** An origin that fails this often for others explains any failure. */
const flaky = 0.3;
/** Failures in a row that convict a proxy that had no response since from anywhere. */
const convictingRun = 3;

export interface Judged {
  readonly verdict: Verdict;
  /** The proxy has lately had a response elsewhere, and no failure elsewhere since. */
  readonly works: boolean;
}

/** Of what the proxy did elsewhere: origins with an outcome, with a response last, failed since its last response. */
interface Elsewhere {
  known: number;
  well: number;
  failing: number;
}

/** Reused: nothing is allocated for a verdict but its result. */
const elsewhere: Elsewhere = { known: 0, well: 0, failing: 0 };

/**
 * Judges the failure that `pair` has just noted. It compares how often the pair fails with how often
 * the origin fails those proxies that it responds to, and looks at what the proxy does elsewhere. Sets
 * `pair.excused` where other proxies' evidence gives the failure to the origin.
 */
export function judge(pair: PairEvidence, at: number, refused: boolean): Judged {
  const { proxy, origin } = pair;
  look(pair, at);
  const { well, failing } = elsewhere;
  const works = well > 0 && failing === 0;
  if (refused) return { verdict: failing > 0 && well === 0 ? 'proxy' : 'route', works };
  let others = 0;
  let bad = 0;
  for (const other of origin.live) {
    if (other.proxy === proxy || at - other.lastAt > evidenceMs) continue;
    others++;
    if (other.failedLast) bad++;
  }
  if (others > bad) return { verdict: compare(pair, at, others, bad), works };
  const other = hasOtherWitness(pair, at);
  if (works) {
    origin.witnessed(proxy, at);
    pair.excused = others > 0 || other;
    return { verdict: 'target', works };
  }
  if (others > 0 || other) {
    pair.excused = true;
    const known = other || pair.okAt > -Infinity || well > 0;
    return { verdict: known ? 'target' : 'unknown', works };
  }
  return { verdict: failing > 0 && proxy.run >= convictingRun ? 'proxy' : 'unknown', works };
}

/** The last outcome of another proxy here is a response: is it this pair that fails, or the origin? */
function compare(pair: PairEvidence, at: number, others: number, bad: number): Verdict {
  const { proxy, origin, responses, failures } = pair;
  const { known, well } = elsewhere;
  let outcomes = 0;
  let failed = 0;
  for (const other of origin.live) {
    if (other.proxy === proxy || at - other.lastAt > evidenceMs) continue;
    const fading = other.fading(at);
    outcomes += Math.max(0, (other.responses + other.failures) * fading - 1);
    failed += other.failures * fading;
  }
  let witnesses = 0;
  for (const other of origin.witnesses) {
    if (other.proxy !== proxy && at - other.lastAt <= evidenceMs) witnesses++;
  }
  const assumed = (priorWeight * (bad + witnesses + originPrior)) / (others + witnesses + 1);
  const byOrigin = Math.max(
    (failed + assumed) / (outcomes + priorWeight),
    (bad + originPrior) / (others + 1),
  );
  const byPair = (failures + pairPrior) / (responses + failures + 1);
  const likelihood =
    byPair <= byOrigin
      ? -1
      : failures * Math.log(byPair / byOrigin) +
        responses * Math.log((1 - byPair) / (1 - byOrigin));
  if (likelihood >= convincing) {
    if (well === 0) return 'proxy';
    const failsElsewhere = (known - well + originPrior) / (known + 1);
    const mostly = pair.okAt === -Infinity || (failures > 1.5 && responses < failures);
    return failsElsewhere < byPair / 2 && mostly ? 'route' : 'proxy';
  }
  if (likelihood > 0 && byOrigin <= flaky) return 'unknown';
  pair.excused = true;
  return 'target';
}

function look(pair: PairEvidence, at: number): void {
  elsewhere.known = elsewhere.well = elsewhere.failing = 0;
  for (const other of pair.proxy.pairs) {
    if (other === pair || other.origin.gone || at - other.lastAt > evidenceMs) continue;
    if (!other.failedLast) {
      elsewhere.known++;
      elsewhere.well++;
    } else if (!other.excused) {
      elsewhere.known++;
      if (other.failedAt > pair.proxy.okAt) elsewhere.failing++;
    }
  }
}

/** Whether another proxy, that works elsewhere, has lately failed here and the origin has not responded since. */
function hasOtherWitness({ proxy, origin }: PairEvidence, at: number): boolean {
  const { latest, latestAt, earlier, earlierAt, okAt } = origin;
  const counts = (other: object | undefined, since: number) =>
    other !== undefined && other !== proxy && since > okAt && at - since <= evidenceMs;
  return counts(latest, latestAt) || counts(earlier, earlierAt);
}
