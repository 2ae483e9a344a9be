import type { Outcome } from '@whirl/events';
import { ClosedError } from '../errors.ts';
import { LinkedList, type Linked } from '../linked-list.ts';
import { maxTimerMs } from '../timer.ts';

/** A request that has not ended. */
export interface RunningRequest extends Linked<RunningRequest> {
  readonly id: string;
  readonly method: string;
  readonly origin: string;
  /** The number of the attempt begun last, 0 before the first. */
  readonly attempt: number;
  /** The proxy of the attempt begun last. */
  readonly proxyId: string | undefined;
  /** Epoch ms at which the next attempt begins, while one is waited for. */
  readonly nextRetryAt: number | undefined;
  /** Ends it from outside. */
  end(outcome: Extract<Outcome, 'aborted' | 'timeout' | 'failure'>, error: Error): void;
}

/** A tunnel that has not closed. */
export interface RunningTunnel {
  /** Waits for the next request, of a client that keeps connections. */
  readonly idle: boolean;
  /** Closes it for a reason of the rotator's. */
  shut(closedBy: 'close', error?: Error): void;
}

/** What runs: requests in the order of their start, and tunnels. */
export class InFlight {
  readonly requests = new LinkedList<RunningRequest>();
  readonly #tunnels = new Set<RunningTunnel>();
  /** Called when nothing runs any more. */
  readonly #drained: (() => void)[] = [];

  /** Requests that have not ended, and tunnels that have not closed. */
  get size(): number {
    return this.requests.size + this.#tunnels.size;
  }

  /** A request begins. */
  begun(request: RunningRequest): void {
    this.requests.add(request);
  }

  /** It has ended. */
  ended(request: RunningRequest): void {
    this.requests.delete(request);
    this.#release();
  }

  /** A tunnel opens. */
  opened(tunnel: RunningTunnel): void {
    this.#tunnels.add(tunnel);
  }

  /** It has closed. */
  closed(tunnel: RunningTunnel): void {
    this.#tunnels.delete(tunnel);
    this.#release();
  }

  /** Closes the tunnels that wait for their next request. */
  closeIdle(): void {
    for (const tunnel of [...this.#tunnels]) if (tunnel.idle) tunnel.shut('close');
  }

  /** Resolves when nothing runs any more, and after `graceMs` at the latest. */
  async drained(graceMs: number): Promise<void> {
    if (this.size === 0 || graceMs <= 0) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#drained.push(resolve);
      timer = setTimeout(resolve, Math.min(graceMs, maxTimerMs));
    });
    clearTimeout(timer);
  }

  /** Ends everything with `ClosedError`. */
  endAll(): void {
    for (const request of [...this.requests]) request.end('aborted', new ClosedError());
    for (const tunnel of [...this.#tunnels]) tunnel.shut('close', new ClosedError());
  }

  #release(): void {
    if (this.#drained.length === 0 || this.size > 0) return;
    for (const resolve of this.#drained.splice(0)) resolve();
  }
}
