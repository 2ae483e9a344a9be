import type { Command, Option } from 'commander';

/** What a shell has to know of an option. */
export interface Flag {
  /** `-f`, `--format`. */
  readonly names: readonly string[];
  readonly description: string;
  /** What may stand behind it. `anything`: nothing can be offered. */
  readonly value: 'none' | 'file' | 'anything' | readonly string[];
}

export interface Described {
  readonly name: string;
  readonly description: string;
  readonly flags: readonly Flag[];
  /** Words that may stand for its argument; `file`: a file's name. */
  readonly argument: 'none' | 'file' | 'anything' | readonly string[];
}

function valueOf({ required, optional, argChoices, flags }: Option): Flag['value'] {
  if (!required && !optional) return 'none';
  if (argChoices !== undefined) return argChoices;
  return /<file>/.test(flags) ? 'file' : 'anything';
}

function flagOf(option: Option): Flag {
  const names = [option.short, option.long].filter((each) => each !== undefined);
  return { names, description: option.description, value: valueOf(option) };
}

const help: Flag = { names: ['-h', '--help'], description: 'show help', value: 'none' };

/** The commands of a program as shells have to know them. */
export function describeCommands(program: Command): Described[] {
  return program.commands.map((command) => {
    const [argument] = command.registeredArguments;
    let value: Described['argument'] = 'none';
    if (argument?.argChoices !== undefined) value = argument.argChoices;
    else if (argument !== undefined) value = argument.name() === 'list' ? 'file' : 'anything';
    return {
      name: command.name(),
      description: command.summary(),
      flags: [...command.options.map(flagOf), help],
      argument: value,
    };
  });
}
