import type { Logger } from '../events/logging.ts';

/** Proxies that are remembered as warned about. */
const maxWarned = 1000;

/** Warns once of a proxy whose connections are all held by responses that are not read. */
export class UnreadBodies {
  readonly #logger: Logger | undefined;
  readonly #warned = new Set<string>();

  constructor(logger: Logger | undefined) {
    this.#logger = logger;
  }

  /** A request through this proxy got no connection: `unread` of them are held so. */
  found(proxyId: string, unread: number): void {
    if (this.#logger === undefined || this.#warned.has(proxyId)) return;
    if (this.#warned.size >= maxWarned) return;
    this.#warned.add(proxyId);
    try {
      this.#logger.warn(
        { proxyId, unread },
        'requests wait for connections that are held by unread bodies: read or dump() each body',
      );
    } catch (error) {
      // As the bus does with its listeners': the error is written to the console, and no request fails.
      // oxlint-disable-next-line no-console -- an error of the logger must not be lost
      console.error(error);
    }
  }
}
