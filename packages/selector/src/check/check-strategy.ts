import { check, func, object, string } from '@whirl/check';
import type { Strategy } from '../strategy.ts';

const strategies = { ...object, wanted: 'a strategy' };

/** Refuses what is no strategy. */
export function checkStrategy(name: string, strategy: unknown): void {
  check(name, strategy, strategies);
  const { name: own, pick } = strategy as Partial<Strategy>;
  check(`${name}.name`, own, string);
  check(`${name}.pick`, pick, func);
}

/** The name of a strategy around another, and what it leaves to that one. */
export function around(name: string, inner: Strategy): Omit<Strategy, 'pick'> {
  checkStrategy(`the inner strategy of ${name}()`, inner);
  return {
    name: `${name}(${inner.name})`,
    attach: (among) => inner.attach?.(among),
    score: (among, slot, ask) => inner.score?.(among, slot, ask) ?? among.success(slot),
    sessionMoves: (among, max) => inner.sessionMoves?.(among, max) ?? [],
    moveSession: (among, move, at) => inner.moveSession?.(among, move, at),
  };
}
