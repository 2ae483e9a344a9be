import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Lines } from './lines.ts';

/** All lines, with their numbers. */
function linesOf(text: string): [number, string][] {
  const lines = new Lines(text);
  const all: [number, string][] = [];
  for (let line = lines.next(); line !== undefined; line = lines.next()) {
    all.push([lines.number, line]);
  }
  return all;
}

describe('F17i the lines of a text', () => {
  it.each([
    ['', ['']],
    ['a', ['a']],
    ['a\n', ['a', '']],
    ['a\r\nb\rc\nd', ['a', 'b', 'c', 'd']],
    ['\r\r\n\n', ['', '', '', '']],
    ['\n\r', ['', '', '']],
  ])('F17i %j has the lines %j', (text, lines) => {
    expect(linesOf(text)).toEqual(lines.map((line, i) => [i + 1, line]));
  });

  it('F17i whatever ends them, they are those that a split would give', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', '\n', '\r', '\u2028') }), (text) => {
        expect(linesOf(text).map(([, line]) => line)).toEqual(text.split(/\r\n|\n|\r/));
      }),
    );
  });
});
