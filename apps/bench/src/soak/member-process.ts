import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { MemberCommand, MemberOptions, Report, Rest } from './member.ts';

/** How long a member that has closed everything may take to end. */
const patienceMs = 5000;

/** A member, as its parent sees it. */
export class MemberProcess {
  /** Resolves when its gateway listens and its clients have begun. */
  readonly ready: Promise<unknown>;
  readonly #child: ChildProcess;
  readonly #exit: Promise<number | null>;

  constructor(options: MemberOptions) {
    const file = fileURLToPath(new URL('./member.ts', import.meta.url));
    this.#child = fork(file, [JSON.stringify(options)], {
      execArgv: [...process.execArgv, '--expose-gc'],
    });
    // A message to one that has ended: its exit says so to whatever waits for it.
    this.#child.on('error', () => {});
    this.#exit = once(this.#child, 'exit').then(([code]) => code as number | null);
    this.ready = this.#next();
  }

  tell(command: MemberCommand): void {
    this.#child.send(command);
  }

  /** What it has counted, once its clients rest. */
  async report(): Promise<Report> {
    const report = this.#next<Report>();
    this.tell({ command: 'rest' });
    return report;
  }

  /** After a report: what it held at last, and how it ended. */
  async end(): Promise<{ rest: Rest; exitCode: number | null }> {
    const heard = this.#next<Rest>();
    this.tell({ command: 'end' });
    const rest = await heard;
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), patienceMs);
    const exitCode = await this.#exit;
    clearTimeout(timer);
    return { rest, exitCode };
  }

  /** Ends it if it still runs. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  /** The next message. Rejects when the process ends before it. */
  async #next<Message>(): Promise<Message> {
    const heard = once(this.#child, 'message').then(([message]) => message as Message);
    const ended = this.#exit.then((code) => {
      throw new Error(`a member has ended with exit code ${code}`);
    });
    return Promise.race([heard, ended]);
  }
}
