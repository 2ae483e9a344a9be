import { Command, CommanderError } from 'commander';
import { addBench } from './bench/command.ts';
import { addCheck } from './check/command.ts';
import { addCompletion } from './completion/command.ts';
import { exitCodes } from './exit-codes.ts';
import { UsageError } from './usage-error.ts';
import { addGet } from './get/command.ts';
import { refusalOf } from './terminal/refusal.ts';
import type { Run } from './terminal/run.ts';
import { addServe } from './serve/command.ts';
import { OutputError, type Terminal } from './terminal/terminal.ts';
import { version } from './version.ts';

const examples = `
Examples:
  whirl check proxies.txt --url https://api.example.com/health
  whirl get https://api.example.com/data --proxies-file proxies.txt
  whirl serve --proxies-file proxies.txt
  whirl bench https://api.example.com/health --proxies-file proxies.txt -n 1000

whirl <command> --help shows the options of a command and examples.`;

/** The commands. What they do is imported when one of them runs. */
export function createProgram(run: Run): Command {
  const program = new Command('whirl')
    .description('HTTP through pools of unreliable proxies.')
    .version(version, '-V, --version', 'show the version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand(false)
    .configureHelp({ helpWidth: 100 })
    .showHelpAfterError('(--help shows the options)')
    .showSuggestionAfterError()
    .addHelpText('after', examples);
  addCheck(program, run);
  addGet(program, run);
  addServe(program, run);
  addBench(program, run);
  addCompletion(program, run);
  return program;
}

/** Runs a command line. Resolves with the exit code when everything is written. */
export async function runProgram(args: readonly string[], terminal: Terminal): Promise<number> {
  let command: ((terminal: Terminal) => Promise<number>) | undefined;
  const program = createProgram((given) => (command = given));
  for (const each of [program, ...program.commands]) {
    each.exitOverride().configureOutput({
      writeOut: (text) => terminal.stdout.write(text),
      writeErr: (text) => terminal.stderr.write(text),
      outputError: (text, writeError) => writeError(refusalOf(text)),
    });
  }
  try {
    if (args.length === 0) {
      program.outputHelp({ error: true });
      return exitCodes.usage;
    }
    program.parse(args, { from: 'user' });
    return (await command?.(terminal)) ?? exitCodes.ok;
  } catch (error) {
    if (error instanceof CommanderError) {
      return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    }
    if (error instanceof UsageError) {
      for (const line of error.lines) terminal.stderr.write(`whirl: ${line}\n`);
      return error.exitCode;
    }
    if (error instanceof OutputError) {
      terminal.stderr.write(`whirl: ${error.message}\n`);
      return exitCodes.failed;
    }
    // The rotator's own refusals of what a command line says.
    const { code, message } = error as { code?: unknown; message: string };
    if (code === 'INVALID_REQUEST' || code === 'INVALID_PROXY') {
      terminal.stderr.write(`whirl: ${message}\n`);
      return exitCodes.usage;
    }
    throw error;
  }
}
