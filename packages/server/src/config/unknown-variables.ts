import { closest, distance } from 'fastest-levenshtein';
import { configVariable, settings } from './settings.ts';

type Env = Readonly<Record<string, string | undefined>>;

const known: readonly string[] = [
  ...Object.values(settings).map((setting) => setting.variable),
  configVariable,
];

const prefix = /^whirl[_-]/i;

/** Letters that may be wrong, missing, too many or (counting two) exchanged: three of a long name, two of a short one. */
const maxTypos = (name: string) => (name.length >= 'WHIRL_PROXIES'.length ? 3 : 2);

/** The same, where the prefix itself is wrong: such a name usually belongs to another program. */
const maxPrefixTypos = 2;

const wordsOf = (name: string) =>
  name
    .split(/[_-]/)
    .slice(1)
    .map((word) => (word === 'PROXY' ? 'PROXIES' : word));

/** Kubernetes sets such variables in every container, for each Service: one may be called `whirl`. */
function comesFromKubernetes(name: string, value: string | undefined): boolean {
  return (
    /_SERVICE_(HOST|PORT)(_|$)|_PORT_\d+_(TCP|UDP|SCTP)(_|$)/.test(name) ||
    /^(tcp|udp|sctp):\/\//.test(value ?? '')
  );
}

/** The setting that was meant by a name that is none. */
function meantBy(name: string): string | undefined {
  const upper = name.toUpperCase();
  const nearest = closest(upper, known);
  const typos = distance(upper, nearest);
  if (!prefix.test(name)) return typos <= maxPrefixTypos ? nearest : undefined;
  if (typos <= maxTypos(nearest)) return nearest;
  // A word left out: WHIRL_TOKEN for WHIRL_API_TOKEN.
  const words = wordsOf(upper);
  const longer = known.filter((setting) => {
    const all = new Set(wordsOf(setting));
    return words.every((word) => all.has(word));
  });
  if (longer.length > 0) return closest(upper, longer);
  // A word too many, of the one setting without which the demo starts: WHIRL_PROXY_LIST.
  return words.includes('PROXIES') ? settings.proxies.variable : undefined;
}

/**
 * A name that is nearly one of ours is taken for a mistake and stops the start: without it the server would
 * run, but not as it was meant. Any other name with the prefix may belong to another program: it is a warning.
 */
export function judgeUnknownVariables(env: Env): { issues: string[]; warnings: string[] } {
  const issues: string[] = [];
  const warnings: string[] = [];
  for (const name of Object.keys(env).sort()) {
    if (known.includes(name)) continue;
    const meant = comesFromKubernetes(name, env[name]) ? undefined : meantBy(name);
    if (meant !== undefined) issues.push(`unknown variable ${name}: did you mean ${meant}?`);
    else if (prefix.test(name)) warnings.push(`unknown variable ${name} is ignored`);
  }
  return { issues, warnings };
}
