#!/usr/bin/env node
import { exitCodes } from './exit-codes.ts';
import { runProgram } from './program.ts';
import { OutputError, rejected, type Terminal } from './terminal/terminal.ts';

/** SIGHUP comes when the terminal closes. Node takes back what `nohup` ignores, so it would end the process at once. */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * One Ctrl-C under npx arrives twice: the terminal signals the whole process group, and npx hands on its own. Signals
 * within this time are one.
 */
const echoMs = 1000;

/** The terminal was closed, as far as the signal tells. */
let hungUp = false;

/** The first signal asks the command to end, a second one ends it. */
function onStop(listener: () => void): () => void {
  let askedAt: number | undefined;
  const hear = (signal: NodeJS.Signals) => {
    hungUp ||= signal === 'SIGHUP';
    const now = performance.now();
    if (askedAt !== undefined && now - askedAt >= echoMs) process.exit(exitCodes.interrupted);
    if (askedAt !== undefined) return;
    askedAt = now;
    listener();
  };
  for (const signal of signals) process.on(signal, hear);
  return () => {
    // The echo of a signal may come when the command has ended, and the output has not.
    if (askedAt !== undefined) return;
    for (const signal of signals) process.off(signal, hear);
  };
}

const { stdin, stdout, stderr } = process;
/** Of a write that nothing waited for, such as that of `--help`. */
let failure: OutputError | undefined;
// A reader that has enough, as `head` does, ends the command quietly.
stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(exitCodes.ok);
  if (!rejected.has(error)) failure ??= new OutputError(stdout, error);
});
// Output after the reader has closed is dropped.
stderr.on('error', () => {});
const terminal: Terminal = { stdin, stdout, stderr, onStop };
process.on('exit', (code) => {
  if (failure === undefined || code !== exitCodes.ok) return;
  stderr.write(`whirl: ${failure.message}\n`);
  process.exitCode = exitCodes.failed;
});
process.on('exit', () => {
  if (!hungUp || ![stdin, stdout, stderr].some(({ isTTY }) => isTTY)) return;
  // An exit restores the modes of the terminal, and Node 20 aborts where that is gone.
  process.removeAllListeners('SIGHUP');
  process.kill(process.pid, 'SIGHUP');
});
process.exitCode = await runProgram(process.argv.slice(2), terminal);
