import type { Peer } from '../store.ts';

/** The processes of the fleet, as far as the store knows them. */
export class Peers {
  #live = 0;
  #hosts = 1;
  readonly #witnesses = new Map<string, string>();
  readonly #self: Peer;

  constructor(self: Peer) {
    this.#self = self;
  }

  /** This one included; 0 before the first answer. */
  get live(): number {
    return this.#live;
  }

  /** A host, as soon as there are processes of two; else the process itself. */
  readonly witnessOf = (process: string): string => {
    if (this.#hosts < 2) return process;
    return this.#witnesses.get(process) ?? process;
  };

  /** Witnesses there are. */
  get witnesses(): number {
    return this.#hosts < 2 ? this.#live : this.#hosts;
  }

  /** True when the number has changed. */
  heard(live: number, peers: readonly Peer[] | undefined): boolean {
    const before = this.#live;
    this.#live = live;
    if (peers !== undefined) {
      this.#witnesses.clear();
      for (const { process, witness } of peers) this.#witnesses.set(process, witness);
      this.#witnesses.set(this.#self.process, this.#self.witness);
      this.#hosts = new Set(this.#witnesses.values()).size;
    }
    return live !== before;
  }

  /** It has been heard of before the list of all came. */
  met({ process, witness }: Peer): void {
    if (!this.#witnesses.has(process)) this.#witnesses.set(process, witness);
  }

  list(): Peer[] {
    return [...this.#witnesses].map(([process, witness]) => ({ process, witness }));
  }
}
