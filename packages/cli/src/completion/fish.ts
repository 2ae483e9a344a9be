import type { Described, Flag } from './describe.ts';

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

function action(value: Flag['value']): string {
  if (value === 'none') return '';
  if (value === 'file') return ' -r -F';
  return value === 'anything' ? ' -x' : ` -x -a ${quoted(value.join(' '))}`;
}

function flag({ names, description, value }: Flag): string {
  const parts = names.map((name) =>
    name.startsWith('--') ? ` -l ${name.slice(2)}` : ` -s ${name.slice(1)}`,
  );
  return `${parts.join('')}${action(value)} -d ${quoted(description)}`;
}

/** The completion of fish. */
export function fish(commands: readonly Described[]): string {
  const lines = commands.flatMap(({ name, description, flags, argument }) => {
    const inside = `complete -c whirl -n '__fish_seen_subcommand_from ${name}'`;
    const other =
      argument === 'none' || argument === 'anything' ? '' : action(argument).replace(' -r', '');
    return [
      `complete -c whirl -n __fish_use_subcommand -f -a ${name} -d ${quoted(description)}`,
      `${inside}${other === '' ? ' -f' : other.replace(' -x', ' -f')}`,
      ...flags.map((each) => inside + flag(each)),
    ];
  });
  return `# fish completion of whirl. In ~/.config/fish/completions: whirl completion fish > whirl.fish
complete -c whirl -e
${lines.join('\n')}
`;
}
