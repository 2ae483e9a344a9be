import type { Described, Flag } from './describe.ts';

/** Inside single quotes, and inside the brackets of `_arguments`. */
function quoted(text: string): string {
  return text.replaceAll("'", "'\\''").replace(/[[\]:]/g, '\\$&');
}

function action(value: Flag['value']): string {
  if (value === 'none') return '';
  if (value === 'file') return ':file:_files';
  return value === 'anything' ? ':value:' : `:value:(${value.join(' ')})`;
}

function flag({ names, description, value }: Flag): string {
  const [first = '', second] = names;
  const rest = `'[${quoted(description)}]${action(value)}'`;
  // -f and --format exclude each other, and are described once.
  if (second === undefined) return `'*${first}'${rest}`;
  return `'(${first} ${second})'{${first},${second}}${rest}`;
}

/** The completion of zsh. */
export function zsh(commands: readonly Described[]): string {
  const names = commands.map(({ name, description }) => `'${name}:${quoted(description)}'`);
  const cases = commands.map(({ name, flags, argument }) => {
    const lines = flags.map(flag);
    if (argument !== 'none') lines.push(`'1${action(argument)}'`);
    return `    ${name}) _arguments ${lines.join(' \\\n      ')} ;;`;
  });
  return `#compdef whirl
# zsh completion of whirl. As a file _whirl in a folder of $fpath, or: source <(whirl completion zsh)
_whirl() {
  if ((CURRENT == 2)); then
    local -a commands=(${names.join(' ')})
    _describe command commands
    return
  fi
  shift words
  ((CURRENT--))
  case $words[1] in
${cases.join('\n')}
  esac
}
if [[ $funcstack[1] == _whirl ]]; then _whirl; else compdef _whirl whirl; fi
`;
}
