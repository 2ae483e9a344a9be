import type { Described, Flag } from './describe.ts';

/** What fills COMPREPLY; `:` does nothing. */
function reply(value: Flag['value']): string {
  if (value === 'none' || value === 'anything') return ':';
  const files = 'COMPREPLY=($(compgen -f -- "$cur")); compopt -o filenames';
  return value === 'file' ? files : `COMPREPLY=($(compgen -W '${value.join(' ')}' -- "$cur"))`;
}

/** The completion of bash. */
export function bash(commands: readonly Described[]): string {
  const names = commands.map(({ name }) => name).join(' ');
  const values = commands.flatMap(({ name, flags }) =>
    flags
      .filter(({ value }) => value !== 'none')
      .map(({ names: flagNames, value }) => {
        const patterns = flagNames.map((each) => `${name}:${each}`).join('|');
        return `    ${patterns}) ${reply(value)}; return ;;`;
      }),
  );
  const rest = commands.map(({ name, flags, argument }) => {
    const all = flags.flatMap((each) => each.names).join(' ');
    const options = `COMPREPLY=($(compgen -W '${all}' -- "$cur"))`;
    return `    ${name}) if [[ $cur == -* ]]; then ${options}; else ${reply(argument)}; fi ;;`;
  });
  return `# bash completion of whirl. In ~/.bashrc: eval "$(whirl completion bash)"
_whirl() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} command=''
  ((COMP_CWORD > 1)) && command=\${COMP_WORDS[1]}
  COMPREPLY=()
  case "$command:$prev" in
${values.join('\n')}
  esac
  case "$command" in
    '') COMPREPLY=($(compgen -W '${names} --help --version' -- "$cur")) ;;
${rest.join('\n')}
  esac
}
complete -F _whirl whirl
`;
}
