import { exitCodes } from './exit-codes.ts';

/** What is wrong with a command line or a list, a line each. */
export class UsageError extends Error {
  readonly exitCode: number = exitCodes.usage;
  readonly lines: readonly string[];

  constructor(...lines: readonly string[]) {
    super(lines.join('\n'));
    this.name = 'UsageError';
    this.lines = lines;
  }
}
