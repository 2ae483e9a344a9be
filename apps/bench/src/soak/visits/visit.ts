import type { RotatorView } from '@whirl/rotator';
import type { Addresses } from '../far-side.ts';

/** How a visit ended for its client. `wrong`: what came back is not what was asked for. */
export type Ending = 'succeeded' | 'failed' | 'aborted' | 'wrong';

/** When a client leaves: after a while, wherever its request is then, or at the headers, or within the body. */
export type LeavesAt = 'time' | 'headers' | 'body';

/** What a client needs for one visit. */
export interface Visit {
  /** Its requests have the name of their kind as the name of their policy. */
  readonly view: RotatorView;
  readonly at: Addresses;
  readonly random: () => number;
  readonly signal: AbortSignal;
  /** The client has come so far: it leaves now if it wants to leave there. */
  reached(phase: 'headers' | 'body'): void;
}

/** A kind of traffic: what its clients do, and what their requests are named. */
export interface Kind {
  readonly name: string;
  /** Of the visits, relative to the other kinds. */
  readonly weight: number;
  /** Whether whirl hears how each visit ended: not of a tunnel, whose verdict is its first byte. */
  readonly settles: boolean;
  visit(visit: Visit): Promise<Ending>;
}

/** One of the list. */
export function oneOf<Each>(list: readonly Each[], random: () => number): Each {
  return list[Math.floor(random() * list.length)] as Each;
}

/** Bytes that tell where they were cut. */
export function bytesOf(length: number): Buffer {
  return pattern.subarray(0, length);
}
export const maxBytes = 256 * 1024;
const pattern = Buffer.alloc(maxBytes, Buffer.from(Array.from({ length: 251 }, (_, i) => i)));
