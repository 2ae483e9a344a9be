import { Evidence } from '../../../../packages/rotator/src/blame/evidence.ts';
import {
  OriginEvidence,
  ProxyEvidence,
} from '../../../../packages/rotator/src/blame/pair-evidence.ts';
import { Outage } from '../../../../packages/rotator/src/blame/outage.ts';

export type Blamed = 'proxy' | 'route' | 'target' | 'unknown';

/** How a rule judges the failures of one world. Proxies and targets are numbers. */
export interface Rule {
  begun(target: number): number;
  ended(target: number, token: number): void;
  responded(proxy: number, target: number, at: number): void;
  failed(proxy: number, target: number, at: number, timedOut: boolean): Blamed;
  /** Whether a retry would only burden the target. */
  brakes(target: number): boolean;
}

/** Every failure is the proxy's: what a circuit breaker per proxy does. */
export function everyProxy(): Rule {
  return {
    begun: () => 0,
    ended: () => {},
    responded: () => {},
    failed: () => 'proxy',
    brakes: () => false,
  };
}

/**
 * The proxy's, or the target's once another proxy failed there within 30 s; a timeout is the proxy's. The rotator's
 * rule until it kept evidence.
 */
export function twoProxies(): Rule {
  const last = new Map<number, { proxy: number; at: number }[]>();
  return {
    begun: () => 0,
    ended: () => {},
    responded: (_, target) => void last.delete(target),
    failed(proxy, target, at, timedOut) {
      if (timedOut) return 'proxy';
      const recent = (last.get(target) ?? []).filter(
        (each) => at - each.at <= 30_000 && each.proxy !== proxy,
      );
      last.set(target, [...recent, { proxy, at }].slice(-4));
      return recent.length > 0 ? 'target' : 'proxy';
    },
    brakes: () => false,
  };
}

/** The rotator's. */
export function byEvidence(proxies: number, targets: number): Rule {
  const evidence = new Evidence();
  const each = Array.from({ length: proxies }, () => new ProxyEvidence());
  const origins = Array.from({ length: targets }, () => ({
    evidence: new OriginEvidence(),
    outage: new Outage(),
  }));
  return {
    begun: (target) => origins[target]!.outage.begun(),
    ended: (target, token) => origins[target]!.outage.ended(token),
    responded(proxy, target, at) {
      origins[target]!.outage.responded(at);
      evidence.responded(each[proxy]!, origins[target]!.evidence, at);
    },
    failed(proxy, target, at) {
      const { evidence: origin, outage } = origins[target]!;
      const verdict = evidence.failed(each[proxy]!, origin, at);
      if (verdict === 'proxy' || verdict === 'route') return verdict;
      outage.failed(`${proxy}`, at, proxies);
      return verdict;
    },
    brakes: (target) => origins[target]!.outage.downAt !== undefined,
  };
}
