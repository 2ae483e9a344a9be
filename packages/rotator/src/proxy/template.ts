import { trimEdges } from './clean-line.ts';

const names = ['host', 'port', 'user', 'pass', 'protocol', 'region', 'id', 'url', '*'] as const;
type Name = (typeof names)[number];

/** The named parts of a line. */
export type TemplateFields = Partial<Record<Exclude<Name, '*'>, string>>;

/** How the columns of a line follow each other, such as `host:port:region`. */
export interface Template {
  readonly source: string;
  readonly names: readonly Name[];
  /** What stands before, between and after the names; empty between: blanks. */
  readonly literals: readonly string[];
}

/** Names that other programs have for the same. */
const aliases: Readonly<Record<string, Name>> = {
  ...{ ip: 'host', hostname: 'host', server: 'host', address: 'host', proxy: 'url', link: 'url' },
  ...{ username: 'user', login: 'user', password: 'pass', passwd: 'pass', pwd: 'pass' },
  ...{ type: 'protocol', scheme: 'protocol', proto: 'protocol', country: 'region', cc: 'region' },
  ...{ name: 'id', city: '*' },
};

/** Does not show the template: it may be a line of a list, with its password. */
function refused(why: string): RangeError {
  return new RangeError(
    `format must be a template of ${names.join(', ')} with separators between, such as "host:port:region": ${why}`,
  );
}

function whyUnknown(word: string): string {
  const meant = Object.hasOwn(aliases, word) ? aliases[word] : undefined;
  return meant === undefined
    ? 'it has a word that is none of these'
    : `it has "${word}", write ${meant} instead`;
}

/** Understands a template. Throws a RangeError that names what is wrong with it. */
export function parseTemplate(source: string): Template {
  const words = source.match(/[a-z]+|\*/gi) ?? [];
  const found: Name[] = [];
  for (const word of words) {
    const name = names.find((each) => each === word);
    if (name === undefined) throw refused(whyUnknown(word.toLowerCase()));
    if (name !== '*' && found.includes(name)) throw refused(`it has ${name} twice`);
    found.push(name);
  }
  const has = (name: Name) => found.includes(name);
  if (has('url') ? has('host') || has('port') : !(has('host') && has('port'))) {
    throw refused('it must have host and port, or url');
  }
  const literals = source.split(/[a-z]+|\*/i);
  if (literals.slice(1, -1).includes('')) {
    throw refused('it has two names without a separator between');
  }
  return { source, names: found, literals: literals.map((each) => each.trim()) };
}

/** The next separator: where it begins and ends. */
function next(text: string, separator: string, from: number): [number, number] | undefined {
  if (separator !== '') {
    const at = text.indexOf(separator, from);
    return at === -1 ? undefined : [at, at + separator.length];
  }
  let at = from;
  while (at < text.length && text[at] !== ' ' && text[at] !== '\t') at++;
  if (at === text.length) return undefined;
  let end = at;
  while (text[end] === ' ' || text[end] === '\t') end++;
  return [at, end];
}

function previous(text: string, separator: string): [number, number] | undefined {
  if (separator !== '') {
    const at = text.lastIndexOf(separator);
    return at === -1 ? undefined : [at, at + separator.length];
  }
  let end = text.length;
  while (end > 0 && text[end - 1] !== ' ' && text[end - 1] !== '\t') end--;
  if (end === 0) return undefined;
  let at = end;
  while (at > 0 && (text[at - 1] === ' ' || text[at - 1] === '\t')) at--;
  return [at, end];
}

function value(text: string): string {
  const trimmed = trimEdges(text);
  const quoted = trimmed.length >= 2 && trimmed.startsWith('"') && trimmed.endsWith('"');
  return quoted ? trimmed.slice(1, -1) : trimmed;
}

/**
 * Takes a line apart. What stands before `pass` is found from the left, what stands after it from the
 * right, so that a password may hold the separator. Undefined when the line does not follow the template.
 */
export function readTemplate(template: Template, line: string): TemplateFields | undefined {
  const { names: order, literals } = template;
  const prefix = literals[0] ?? '';
  const suffix = literals.at(-1) ?? '';
  if (!line.startsWith(prefix) || !line.endsWith(suffix)) return undefined;
  let rest = line.slice(prefix.length, line.length - suffix.length);
  const fields: Record<string, string> = {};
  const pass = order.indexOf('pass');
  const greedy = pass === -1 ? order.length - 1 : pass;
  for (let i = 0; i < greedy; i++) {
    const name = order[i] as Name;
    const from = name === 'host' && rest.startsWith('[') ? rest.indexOf(']') : 0;
    const found = next(rest, literals[i + 1] as string, Math.max(0, from));
    if (found === undefined) return undefined;
    if (name !== '*') fields[name] = value(rest.slice(0, found[0]));
    rest = rest.slice(found[1]);
  }
  for (let i = order.length - 1; i > greedy; i--) {
    const name = order[i] as Name;
    const bracket = name === 'host' && rest.endsWith(']') ? rest.lastIndexOf('[') : -1;
    const found = previous(bracket === -1 ? rest : rest.slice(0, bracket), literals[i] as string);
    if (found === undefined) return undefined;
    if (name !== '*') fields[name] = value(rest.slice(found[1]));
    rest = rest.slice(0, found[0]);
  }
  const last = order[greedy] as Name;
  const separator = literals[greedy] as string;
  if (last === '*') return fields;
  // More columns than the template has; only a password, a URL and `*` may hold a separator.
  if (last !== 'pass' && last !== 'url' && greedy > 0 && separator !== '' && last !== 'host') {
    if (rest.includes(separator)) return undefined;
  }
  fields[last] = value(rest);
  return fields;
}
