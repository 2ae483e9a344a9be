import { LastHour } from './last-hour.ts';

/** What a gateway has done since it was made. */
export class Counters {
  /** Tunnels that were opened for clients. */
  tunnels = 0;
  /** Requests in absolute form. */
  requests = 0;
  /** Clients that were refused before anything was dialled. */
  refused = 0;
  /** Tunnels that no proxy opened. */
  failed = 0;
  /** Proxies that failed a tunnel which another one then opened, unseen by the client. */
  failovers = 0;
  readonly failoversLastHour: LastHour;
  /** Tunnels that broke after they had been granted, before their target's first byte. */
  lost = 0;
  /** Of tunnels that have ended: from clients, and to clients. */
  bytesUp = 0;
  bytesDown = 0;

  /** `now` returns milliseconds by a clock that does not step back. */
  constructor(now: () => number) {
    this.failoversLastHour = new LastHour(now);
  }

  /** A tunnel was established, after so many proxies had failed it. */
  established(proxies: number): void {
    this.failovers += proxies;
    if (proxies > 0) this.failoversLastHour.add(proxies);
  }
}
