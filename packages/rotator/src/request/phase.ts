import type { Admission } from '../pool/member.ts';

/** What a request does at the moment, with what it holds in this phase and releases when it leaves it. */
export type RequestPhase<Attempt> =
  | Choosing
  | { readonly is: 'queued'; readonly leave: () => void }
  | {
      readonly is: 'waiting';
      readonly timer: NodeJS.Timeout;
      /** Epoch milliseconds at which the next attempt begins. */
      readonly until: number;
    }
  | { readonly is: 'attempting' }
  | {
      readonly is: 'responding';
      /** The attempt whose response the caller gets. */
      readonly attempt: Attempt;
      /** Undefined: of a tunnel. */
      readonly statusCode: number | undefined;
    }
  | { readonly is: 'ended' };

/** It looks for a proxy, or will in a microtask. */
interface Choosing {
  readonly is: 'choosing';
  /** The proxy that was admitted when the attempt was planned. Undefined: none yet, or it is in use. */
  reserved: Admission | undefined;
}

/** Phases that hold nothing, one object for all requests. */
export const firstChoice: Choosing = { is: 'choosing', reserved: undefined };
export const attempting = { is: 'attempting' } as const;
export const ended = { is: 'ended' } as const;
