import fs from 'node:fs';
import net from 'node:net';

/** Writes bytes somewhere. Calls back once, with how many were taken. */
export type WriteBytes = (
  bytes: Buffer,
  done: (error: NodeJS.ErrnoException | null, written: number) => void,
) => void;

/** The options of a `LogOutput`. They are not checked. */
export interface LogOutputOptions {
  /** Where the lines go. Default: to the file descriptor `fd`. */
  readonly write?: WriteBytes | undefined;
  /** A file descriptor; not used beside `write`. Default 1, standard output. */
  readonly fd?: number | undefined;
  /** Bytes that may wait to be written; what does not fit is dropped. Default 1 MiB. */
  readonly maxBytes?: number | undefined;
  /** Epoch milliseconds, for the line that counts what was dropped. Default `Date.now`. */
  readonly now?: (() => number) | undefined;
}

/** After an error the next try waits, so that a full disk costs no processor time. */
const retryMs = 1000;
/** One write takes at most so much: a slow reader then delays little. */
const batchBytes = 65_536;

/**
 * The log's way out of the process. It never blocks the server and never throws: while the disk is
 * full, or the reader of the pipe has gone or does not read, lines are dropped and counted. The
 * first line after that says how many.
 */
export class LogOutput {
  readonly #write: WriteBytes;
  readonly #maxBytes: number;
  readonly #now: () => number;
  #waiting: string[] = [];
  #waitingBytes = 0;
  #dropped = 0;
  /** The last line was cut by an error. */
  #torn = false;
  #busy = false;
  /** Runs while an error keeps the next write waiting. */
  #rest: NodeJS.Timeout | undefined;
  /** The process ends: each further write is the last try. */
  #onDrained: (() => void) | undefined;

  constructor({ write, fd = 1, maxBytes = 1_048_576, now = Date.now }: LogOutputOptions = {}) {
    this.#write = write ?? writerTo(fd);
    this.#maxBytes = maxBytes;
    this.#now = now;
  }

  /** Lines dropped since the last line that said so. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Takes one line, with its line feed. */
  write(line: string): void {
    const bytes = Buffer.byteLength(line);
    if (this.#waitingBytes + bytes > this.#maxBytes) {
      this.#dropped++;
      return;
    }
    this.#waiting.push(line);
    this.#waitingBytes += bytes;
    this.#next();
  }

  /**
   * Ends it: what waits is tried once more. Resolves with true when no write is under way any longer,
   * with false after `timeoutMs`.
   */
  async drain(timeoutMs: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(resolve, timeoutMs, false);
    });
    const drained = new Promise<boolean>((resolve) => (this.#onDrained = () => resolve(true)));
    clearTimeout(this.#rest);
    if (!this.#busy || this.#rest !== undefined) this.#done();
    const ended = await Promise.race([drained, late]);
    clearTimeout(timer);
    return ended;
  }

  #next(): void {
    if (this.#busy) return;
    const lines = this.#take();
    if (lines.length === 0) {
      this.#onDrained?.();
      return;
    }
    this.#busy = true;
    const told = this.#dropped;
    const notice = told === 0 ? '' : this.#notice(told);
    const bytes = Buffer.from(`${this.#torn ? '\n' : ''}${notice}${lines.join('')}`);
    this.#torn = false;
    this.#dropped -= told;
    const fail = (written: number) => {
      this.#dropped += told + lines.length;
      this.#torn = written > 0;
      if (this.#onDrained === undefined) {
        this.#rest = setTimeout(() => this.#done(), retryMs).unref();
      } else this.#done();
    };
    this.#put(bytes, 0, fail);
  }

  #put(bytes: Buffer, from: number, fail: (written: number) => void): void {
    this.#write(from === 0 ? bytes : bytes.subarray(from), (error, written) => {
      const so = from + written;
      if (so >= bytes.length) this.#done();
      else if (error === null && written > 0) this.#put(bytes, so, fail);
      else fail(so);
    });
  }

  #done(): void {
    this.#rest = undefined;
    this.#busy = false;
    this.#next();
  }

  #take(): string[] {
    let bytes = 0;
    let count = 0;
    for (const line of this.#waiting) {
      if (count > 0 && bytes + line.length > batchBytes) break;
      bytes += Buffer.byteLength(line);
      count++;
    }
    this.#waitingBytes -= bytes;
    return this.#waiting.splice(0, count);
  }

  #notice(dropped: number): string {
    const msg = 'lines of the log could not be written';
    return `${JSON.stringify({ level: 40, time: this.#now(), dropped, msg })}\n`;
  }
}

/** A file or a terminal is written by a thread, a pipe without blocking. */
function writerTo(fd: number): WriteBytes {
  let pipe = false;
  try {
    // As bigints: Node 20's import() reads the numbers that fstatSync has left, and after those of a pipe follows no link.
    const stats = fs.fstatSync(fd, { bigint: true });
    pipe = stats.isFIFO() || stats.isSocket();
  } catch {
    // It is closed: each write will say so.
  }
  if (!pipe) {
    return (bytes, done) => {
      fs.write(fd, bytes, 0, bytes.length, null, (error, written) => done(error, written ?? 0));
    };
  }
  const socket = new net.Socket({ fd, readable: false, writable: true });
  // Each write hears of it too.
  socket.on('error', () => {});
  // The log keeps no process alive.
  socket.unref();
  return (bytes, done) => {
    socket.write(bytes, (error) => done(error ?? null, error ? 0 : bytes.length));
  };
}
