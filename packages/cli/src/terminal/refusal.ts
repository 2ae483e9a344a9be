import { oneOf, shown } from '@whirl/check';

/** What commander says of a value that cannot be used: of an option, of a variable, of an argument. */
const invalid =
  /^error: (?:option '(?<flags>[^']*)' (?:argument|value) '(?<value>.*?)'(?: from env '(?<variable>[^']*)')? is invalid|command-argument value '(?<argument>.*?)' is invalid for argument '(?<name>[^']*)')\. (?:It must (?<must>.*)|Allowed choices are (?<choices>.*))\.(?<end>\s*)$/s;

/**
 * An error of commander as all packages write theirs: with the flag, what would be right, and the value unless it may
 * hold a password, as a URL may.
 */
export function refusalOf(text: string): string {
  const found = invalid.exec(text)?.groups;
  if (found === undefined) {
    return text
      .replace(/^error: /, 'whirl: ')
      .replace(/^(whirl: unknown command) '(.*)'/, (_, what: string, name: string) =>
        shown(name) === 'a string' ? what : `${what} '${name}'`,
      );
  }
  const { flags = '', variable, name, must, choices = '', end = '' } = found;
  const flag = /--[\w-]+/.exec(flags)?.[0] ?? flags;
  const path = variable ?? (name === undefined ? flag : `<${name}>`);
  const wanted = must ?? `be ${oneOf(...choices.split(', ')).wanted}`;
  return `whirl: ${path} must ${wanted}, got ${shown(found['value'] ?? found['argument'])}${end}`;
}
