/** What of a server listens. */
export type Listener = 'api' | 'gateway';

const reasons: Readonly<Record<string, (host: string, port: number) => string>> = {
  EADDRINUSE: (host, port) => `port ${port} of ${host} is in use`,
  EACCES: (host, port) => `may not bind port ${port} of ${host}`,
  EADDRNOTAVAIL: (host) => `"${host}" is not an address of this machine`,
  ENOTFOUND: (host) => `"${host}" is not an address of this machine`,
};

/** An address that cannot be bound, in one line. */
export class ListenError extends Error {
  /** Whose address it is. */
  readonly listener: Listener;
  /** Of the operating system: `EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL` or `ENOTFOUND`. */
  readonly code: string;

  private constructor(message: string, listener: Listener, code: string, cause: unknown) {
    super(message, { cause });
    this.name = 'ListenError';
    this.listener = listener;
    this.code = code;
  }

  /** What an error of `listen` is to a caller; others stay as they are. */
  static of(error: unknown, listener: Listener, host: string, port: number): unknown {
    const { code = '' } = error as NodeJS.ErrnoException;
    const reason = reasons[code];
    if (reason === undefined) return error;
    return new ListenError(reason(host, port), listener, code, error);
  }
}
