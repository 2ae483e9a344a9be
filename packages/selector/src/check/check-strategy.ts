import type { Strategy } from '../strategy.ts';
import { checkFunction, checkText, shown } from './validate.ts';

/** Refuses what is no strategy. */
export function checkStrategy(name: string, strategy: unknown): void {
  if (typeof strategy !== 'object' || strategy === null) {
    throw new TypeError(`${name} must be a strategy, got ${shown(strategy)}`);
  }
  const { name: own, pick } = strategy as Partial<Strategy>;
  checkText(`${name}.name`, own);
  checkFunction(`${name}.pick`, pick);
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
