import ts from 'typescript';
import type { Declarations, Exported } from './declarations.ts';
import { anchor, code, page, table } from './markdown.ts';

/** Fields that every error has, or that the page tells in another way. */
const common = new Set(['name', 'message', 'stack', 'cause', 'code', 'attempts']);

/** The codes in the source of an error class: what it calls its base with, or its field. */
function codesOf({ symbol }: Exported, declarations: Declarations): string[] {
  const own = declarations.propertiesOf(symbol).find(({ name }) => name === 'code');
  const words = own === undefined ? [] : declarations.stringsOf(own);
  const source = declarations.sourceOf(symbol);
  const written = words.filter((word) => source.includes(`'${word}'`));
  return written.length > 0 ? written : words.length === 1 ? words : [];
}

/** Every error class that a package exports, with its codes and fields. */
export function errors(declarations: Declarations): string {
  const found = declarations.packages.flatMap((name) =>
    declarations
      .exportsOf(name)
      .filter(({ symbol }) => declarations.isError(symbol))
      .map((each) => ({ package: name, ...each, codes: codesOf(each, declarations) })),
  );
  const overview = table(
    ['code', 'class', 'package'],
    found
      .flatMap((each) => each.codes.map((word) => ({ word, each })))
      .sort((a, b) => (a.word < b.word ? -1 : 1))
      .map(({ word, each }) => [
        code(word),
        `[${each.name}](#${anchor(each.package, each.name)})`,
        `@whirl/${each.package}`,
      ]),
  );
  const sections = found.map((each) => {
    const doc = declarations.docOf(each.symbol);
    if (doc === '') throw new Error(`${each.name} of @whirl/${each.package} has no doc comment`);
    const fields = declarations
      .propertiesOf(each.symbol)
      .filter(({ name, flags }) => !common.has(name) && (flags & ts.SymbolFlags.Property) !== 0)
      .map((field) => [
        code(field.name),
        code(declarations.typeOf(field)),
        declarations.docOf(field),
      ]);
    const codes = each.codes.map(code).join(', ');
    return [
      `## ${each.name} {#${anchor(each.package, each.name)}}`,
      `@whirl/${each.package}${codes === '' ? '' : ` · ${codes}`}`,
      doc,
      ...(fields.length === 0 ? [] : [table(['field', 'type', ''], fields)]),
    ].join('\n\n');
  });
  const lead =
    'Every error has a stable `code`. Those of a request have `attempts`, and a `cause` where there is one. When each is ' +
    'thrown, what is to blame and what is retried: [the table of the rotator](../packages/rotator.md#errors).';
  return page('Errors', lead, [overview, ...sections]);
}
