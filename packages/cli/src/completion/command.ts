import { Argument, type Command } from 'commander';
import type { Run } from '../terminal/run.ts';
import { write } from '../terminal/terminal.ts';
import { exitCodes } from '../exit-codes.ts';

const shells = ['bash', 'zsh', 'fish'] as const;

const examples = `
Examples:
  eval "$(whirl completion bash)"                                   # in ~/.bashrc
  source <(whirl completion zsh)                                    # in ~/.zshrc, after compinit
  whirl completion fish > ~/.config/fish/completions/whirl.fish`;

/** Adds `whirl completion`. */
export function addCompletion(program: Command, run: Run): void {
  program
    .command('completion')
    .summary('print what makes a shell complete commands and options')
    .description('Prints the completion of a shell.')
    .addArgument(new Argument('<shell>', 'the shell').choices(shells))
    .addHelpText('after', examples)
    .action((shell: (typeof shells)[number]) =>
      run(async ({ stdout }) => {
        const { describeCommands } = await import('./describe.ts');
        const { [shell]: render } = {
          bash: (await import('./bash.ts')).bash,
          zsh: (await import('./zsh.ts')).zsh,
          fish: (await import('./fish.ts')).fish,
        };
        await write(stdout, render(describeCommands(program)));
        return exitCodes.ok;
      }),
    );
}
