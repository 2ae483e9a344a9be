import type { ProcessWord } from '../facts.ts';
import type { Peer } from '../store.ts';

/** A process of the fleet, as another one sees it. */
export interface FleetProcess extends Peer {
  /**
   * `joined`; `suspect`: most proxies fail for it, so it reports no failures; `silent`: it has not asked the store for
   * `memberTtlMs`, because it is dead or cannot reach it.
   */
  readonly state: 'joined' | 'suspect' | 'silent';
  /** When a silent one was found to be so. Epoch milliseconds. */
  readonly silentAt?: number | undefined;
}

/** A process that is silent is listed for so long. */
const listedMs = 600_000;
/** So many of them. */
const maxSilent = 100;
/** After the store was away, or has lost everything, all ask it again within this time, and two intervals. */
const returningMs = 1000;

/** The processes of the fleet, as far as the store knows them. */
export class Peers {
  #live = 0;
  #hosts = 1;
  readonly #witnesses = new Map<string, string>();
  readonly #suspects = new Set<string>();
  readonly #silent = new Map<string, { witness: string; at: number }>();
  readonly #self: Peer & { readonly intervalMs: number };
  /** When the store first counted fewer than before. */
  #fewerAt: number | undefined;

  constructor(self: Peer & { readonly intervalMs: number }) {
    this.#self = self;
  }

  /** This one included; 0 before the first response. */
  get live(): number {
    return this.#live;
  }

  /** A host, as soon as there are processes of two; else the process itself. */
  readonly witnessOf = (process: string): string => {
    if (this.#hosts < 2) return process;
    return this.hostOf(process);
  };

  /** The host of a process. */
  hostOf(process: string): string {
    return this.#witnesses.get(process) ?? this.#silent.get(process)?.witness ?? process;
  }

  /** Witnesses there are. */
  get witnesses(): number {
    return this.#hosts < 2 ? this.#live : this.#hosts;
  }

  /** The store responds again, or has lost everything: it counts only those that have asked it since. */
  returning(now: number): void {
    this.#fewerAt = now + returningMs;
  }

  /**
   * True when the number has changed. Fewer than before are believed when it is so for two intervals: a store that has
   * lost its list counts those that have asked since, and one more retry budget for each that it misses.
   */
  heard(live: number, peers: readonly Peer[] | undefined, now: number): boolean {
    const before = this.#live;
    if (live < before) {
      this.#fewerAt ??= now;
      if (now < this.#fewerAt + 2 * this.#self.intervalMs) return false;
    }
    if (peers !== undefined) this.#listed([...peers, this.#self], now);
    this.#fewerAt = undefined;
    this.#live = live;
    return live !== before;
  }

  /** It has been heard of before the list of all came. */
  met({ process, witness }: Peer): void {
    if (!this.#witnesses.has(process)) this.#witnesses.set(process, witness);
  }

  /** What a process said of itself. */
  said(process: string, word: ProcessWord): void {
    if (word === 'suspect') this.#suspects.add(process);
    else this.#suspects.delete(process);
    if (word !== 'left') return;
    this.#witnesses.delete(process);
    this.#silent.delete(process);
  }

  /** Those that are there, then those that are silent. */
  list(now: number): FleetProcess[] {
    const list: FleetProcess[] = [...this.#witnesses].map(([process, witness]) => {
      return { process, witness, state: this.#suspects.has(process) ? 'suspect' : 'joined' };
    });
    for (const [process, { witness, at }] of this.#silent) {
      if (now - at < listedMs) list.push({ process, witness, state: 'silent', silentAt: at });
    }
    return list;
  }

  #listed(peers: readonly Peer[], now: number): void {
    const before = new Map(this.#witnesses);
    this.#witnesses.clear();
    for (const { process, witness } of peers) {
      this.#witnesses.set(process, witness);
      this.#silent.delete(process);
      before.delete(process);
    }
    for (const [process, witness] of before) {
      this.#suspects.delete(process);
      this.#silent.set(process, { witness, at: now });
    }
    for (const [process, { at }] of this.#silent) {
      if (now - at >= listedMs || this.#silent.size > maxSilent) this.#silent.delete(process);
    }
    this.#hosts = new Set(this.#witnesses.values()).size;
  }
}
