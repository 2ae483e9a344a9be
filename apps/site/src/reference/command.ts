import { execFileSync } from 'node:child_process';
import { inRepository } from '../repository.ts';
import { page } from './markdown.ts';

function help(...args: string[]): string {
  return execFileSync(
    process.execPath,
    ['--conditions=@whirl/source', '--import', 'tsx', 'src/main.ts', ...args, '--help'],
    {
      cwd: inRepository('packages/cli'),
      encoding: 'utf8',
      env: { ...process.env, NO_COLOR: '1', NODE_OPTIONS: '' },
    },
  ).trimEnd();
}

/** The names of the commands, as the help of the program lists them. */
function commandsIn(text: string): string[] {
  const [, list = ''] = text.split('\nCommands:\n');
  const [lines = ''] = list.split('\n\n');
  const names = Array.from(lines.matchAll(/^ {2}([a-z]+)/gm), ([, name = '']) => name);
  return names.filter((name) => name !== 'help');
}

const block = (text: string) => ['```text', text, '```'].join('\n');

/** The help of the command and of each of its commands, as a terminal shows it. */
export function command(): string {
  const own = help();
  const commands = commandsIn(own);
  if (commands.length === 0) throw new Error('whirl --help names no commands');
  return page(
    'Command',
    '`npx @whirl/cli` runs `whirl`. [The command line](../command-line.md) is the guide.',
    [
      '## whirl',
      block(own),
      ...commands.flatMap((name) => [`## whirl ${name}`, block(help(name))]),
    ],
  );
}
