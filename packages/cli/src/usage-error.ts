import { exitCodes } from './exit-codes.ts';

/** What is wrong with a command line or a list, a line each. */
export class UsageError extends Error {
  readonly exitCode: number = exitCodes.usage;
  readonly lines: readonly string[];

  /** An array, and no rest parameter: a list may have more wrong lines than a call can have arguments. */
  constructor(lines: string | readonly string[]) {
    super(typeof lines === 'string' ? lines : lines.join('\n'));
    this.name = 'UsageError';
    this.lines = typeof lines === 'string' ? [lines] : lines;
  }
}
