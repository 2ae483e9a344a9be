import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidProxyError } from '../errors.ts';
import { readJson } from './json-list.ts';
import { JsonScanner } from './json-scanner.ts';

/** The values of a list, and how many steps it took to read them. */
function read(text: string): { values: unknown[]; lines: number[]; steps: number } {
  const values: unknown[] = [];
  const lines: number[] = [];
  let steps = 0;
  for (const entry of readJson(text)) {
    steps++;
    if (entry === undefined) continue;
    values.push(entry.value);
    lines.push(entry.line);
  }
  return { values, lines, steps };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function isList(text: string): boolean {
  try {
    read(text);
    return true;
  } catch (error) {
    expect((error as Error).message).toMatch(/^line \d+: the list begins like JSON, but is not$/);
    return false;
  }
}

describe('F17i A16b JSON, entry by entry', () => {
  it('F17i the entries are those of JSON.parse, with whatever space between', () => {
    const space = fc.constantFrom('', ' ', '\t', '\n', '\r\n', 2);
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), space, (list, indent) => {
        const text = JSON.stringify(list, null, indent);
        expect(read(text).values).toEqual(JSON.parse(text));
        const inObject = JSON.stringify({ total: list.length, items: list }, null, indent);
        expect(read(inObject).values).toEqual(JSON.parse(text));
      }),
    );
  });

  it('F17i a text is JSON here exactly if it is for JSON.parse', () => {
    const token = fc.constantFrom(
      ...['[', ']', '{', '}', ',', ':', '"a"', '"\\"', '"\n"', '\\', '1', '-', '0', '1e5', '.5'],
      ...['true', 'nul', ' ', '\n', 'x'],
    );
    fc.assert(
      fc.property(fc.array(token), (tokens) => {
        const text = `[${tokens.join('')}]`;
        expect(isList(text)).toBe(isJson(text));
      }),
      { numRuns: 3000 },
    );
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.nat(), token, (list, seed, junk) => {
        const json = JSON.stringify(list);
        const at = 1 + (seed % json.length);
        const text = json.slice(0, at) + junk + json.slice(at + (seed % 3));
        expect(isList(text)).toBe(isJson(text));
      }),
      { numRuns: 3000 },
    );
  });

  it('F17l an entry has the line on which it begins', () => {
    expect(read('[1,\n 2, {"a":\n"b"},\r\n\r3\n]').lines).toEqual([1, 2, 2, 5]);
    expect(read('{"list":\n[1,\n2]}').lines).toEqual([2, 3]);
    expect(read('{"http":["a"],\n"socks5":["b",\n"c"]}')).toMatchObject({
      values: ['a', 'b', 'c'],
      lines: [1, 2, 3],
    });
  });

  it.each([
    ['[1,\n2', 2],
    ['[1,\n2}', 2],
    ['[1]\nx', 2],
    ['{"list":[1,\n"\\x"]}', 2],
    ['{"list":[1],\n"other":tru}', 2],
    [`${'['.repeat(300)}${']'.repeat(300)}`, 1],
  ])('F17l %j stops being JSON on a line that is named', (text, line) => {
    expect(() => read(text)).toThrow(`line ${line}: the list begins like JSON, but is not`);
    expect(() => read(text)).toThrow(InvalidProxyError);
  });

  it('F17i of equal keys the last one counts, as for JSON.parse', () => {
    expect(read('{"list":["a"],"list":["b"]}').values).toEqual(['b']);
  });

  it('A16b a value of a million tokens is passed in many steps', () => {
    const big = `[${'[],'.repeat(300_000)}[]]`;
    const scanner = new JsonScanner(big);
    expect([...scanner.skip()].length).toBeGreaterThan(100);
    expect(scanner.at).toBe(big.length);
    expect(read(`{"meta":${big},"list":["a"]}`)).toMatchObject({ values: ['a'] });
    expect(read(`{"meta":${big},"list":["a"]}`).steps).toBeGreaterThan(100);
  });

  it('A16b an entry that is longer than any proxy is refused without being parsed', () => {
    const { values } = read(`["a",{"host":"${'h'.repeat(70_000)}"}]`);
    expect(values).toMatchObject(['a', { why: 'it is longer than 65,536 characters' }]);
  });
});
