#!/usr/bin/env node
import { exitCodes } from './exit-codes.ts';
import { runProgram } from './program.ts';
import type { Terminal } from './terminal/terminal.ts';

const signals = ['SIGINT', 'SIGTERM'] as const;

/** The first signal asks the command to end, the second ends it. */
function onStop(listener: () => void): () => void {
  let asked = false;
  const hear = () => {
    if (asked) process.exit(exitCodes.interrupted);
    asked = true;
    listener();
  };
  for (const signal of signals) process.on(signal, hear);
  return () => {
    for (const signal of signals) process.off(signal, hear);
  };
}

const { stdin, stdout, stderr } = process;
// A reader that has enough, as `head` does, ends the command quietly.
stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(exitCodes.ok);
  throw error;
});
// Output after the reader has closed is dropped.
stderr.on('error', () => {});
const terminal: Terminal = { stdin, stdout, stderr, onStop };
process.exitCode = await runProgram(process.argv.slice(2), terminal);
