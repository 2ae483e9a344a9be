import type { Terminal } from './terminal.ts';

/** Takes what a command does; it resolves with the exit code. */
export type Run = (command: (terminal: Terminal) => Promise<number>) => void;
