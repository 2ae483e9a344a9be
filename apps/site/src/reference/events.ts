import type { Declarations } from './declarations.ts';
import { anchor, code, page, table } from './markdown.ts';

/** Every event of the bus, and the words that their fields may have. */
export function events(declarations: Declarations): string {
  const exported = declarations.exportsOf('events');
  const vocabulary = exported.find(({ name }) => name === 'WhirlEvents');
  if (vocabulary === undefined) throw new Error('@whirl/events exports no WhirlEvents');
  const all = declarations.typedProperties(vocabulary.symbol);
  const sections = all.map(({ name, symbol }) => {
    const doc = declarations.docOf(symbol);
    if (doc === '') throw new Error(`the event ${name} has no doc comment`);
    const rows = declarations
      .propertiesOf(symbol)
      .map((field) => [
        code(field.name),
        code(declarations.typeOf(field)),
        [declarations.isOptional(field) ? 'May be absent.' : '', declarations.docOf(field)]
          .filter((text) => text !== '')
          .join(' '),
      ]);
    return [`## ${name} {#${anchor(name)}}`, doc, table(['field', 'type', ''], rows)].join('\n\n');
  });
  const words = exported
    .filter(({ symbol }) => declarations.wordsOf(symbol).length > 1)
    .map(({ name, symbol }) => [
      code(name),
      declarations.wordsOf(symbol).map(code).join(' '),
      declarations.docOf(symbol),
    ]);
  return page('Events', declarations.docOf(vocabulary.symbol), [
    'Listen with `rotator.bus.on(name, listener)`, or to the channel `whirl:` + name of `node:diagnostics_channel`.',
    all.map(({ name }) => `[${code(name)}](#${anchor(name)})`).join(' · '),
    ...sections,
    '## Words',
    table(['type', 'words', ''], words),
  ]);
}
