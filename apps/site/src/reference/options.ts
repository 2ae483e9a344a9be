import type ts from 'typescript';
import type { Declarations } from './declarations.ts';
import { anchor, code, page } from './markdown.ts';

/** Types of options whose names do not say so. */
const alsoOptions = new Set([
  'BanRule',
  'ProxyInput',
  'EventSourceLimits',
  'WebSocketLimits',
  'TripRule',
]);

/** The types that a reader looks for first; the others follow in the order of the exports. */
const first = [
  'RotatorOptions',
  'RetryPolicyOptions',
  'CircuitOptions',
  'ProxyOptions',
  'RoutingOptions',
  'RequestOptions',
  'FetchOptions',
  'ConnectOptions',
  'AgentsOptions',
  'CircuitBreakerOptions',
  'RetryOptions',
];

const rank = ({ name }: { readonly name: string }) =>
  first.includes(name) ? first.indexOf(name) : first.length;

const isOptions = (name: string) => name.endsWith('Options') || alsoOptions.has(name);

/** Every type of options of the packages, from their doc comments. Throws when an option has none. */
export function options(declarations: Declarations): string {
  const found = declarations.packages.map((name) => ({
    name,
    types: declarations
      .exportsOf(name)
      .filter((each) => isOptions(each.name) && declarations.isInterface(each.symbol))
      .filter(({ symbol }) => declarations.ownPropertiesOf(symbol).length > 0)
      .sort((a, b) => rank(a) - rank(b)),
  }));
  const known = new Map(
    found.flatMap(({ name, types }) => types.map((type) => [type.name, anchor(name, type.name)])),
  );

  const undocumented: string[] = [];
  const property = (of: string, type: string, one: ts.Symbol) => {
    const doc = declarations.docOf(one);
    if (doc === '') undocumented.push(`${type}.${one.name} of @whirl/${of}`);
    const written = declarations.typeOf(one);
    const links = [...known].filter(([name]) => new RegExp(`\\b${name}\\b`).test(written));
    const see = links.map(([name, id]) => `[${name}](#${id})`).join(', ');
    const [only] = links;
    const shown =
      only !== undefined && written === only[0]
        ? `[${code(written)}](#${only[1]})`
        : `${code(written)}${see === '' ? '' : `: ${see}`}`;
    return [
      `#### ${code(one.name)} {#${anchor(of, type, one.name)}}`,
      `${shown}${declarations.isOptional(one) ? '' : ', required'}`,
      doc,
    ].join('\n\n');
  };

  const sections = found
    .filter(({ types }) => types.length > 0)
    .map(({ name, types }) =>
      [
        `## @whirl/${name} {#${anchor(name)}}`,
        ...types.flatMap((type) => [
          `### ${type.name} {#${anchor(name, type.name)}}`,
          ...[declarations.docOf(type.symbol)].filter((doc) => doc !== ''),
          ...declarations
            .ownPropertiesOf(type.symbol)
            .filter(({ name: key }) => !key.startsWith('__@'))
            .map((one) => property(name, type.name, one)),
        ]),
      ].join('\n\n'),
    );
  if (undocumented.length > 0) {
    throw new Error(`options without a doc comment: ${undocumented.join(', ')}`);
  }
  return page(
    'Options',
    'Every option of every package, from the doc comments that an editor shows.',
    sections,
  );
}
