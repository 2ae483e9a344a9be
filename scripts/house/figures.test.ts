import { describe, expect, it } from 'vitest';
import { anchorsOf, fileOf, linksOf, pages, textOf } from './pages.ts';

const home = 'docs/benchmarks.md';

/** Numbers with a unit. */
const figure = /\d[\d,]*(?:\.\d+)?(?=[ -]?(?:%|kB|MB|KiB|MiB|µs|ns|ms|times|points)(?!\w))/g;
const figuresOf = (text: string): string[] => text.replaceAll(/\s+/g, ' ').match(figure) ?? [];

/** Whether a text has the number: with a unit, or under one in a table. */
function has(text: string, number: string): boolean {
  return new RegExp(`(?<![\\d.,])${number}(?![\\d]|[.,]\\d)`).test(text);
}

/** The paragraphs and items of lists of a page, code left out. */
function blocksOf(text: string): string[] {
  return text.replace(/^(`{3,}).*\n[\s\S]*?^\1$/gm, '').split(/\n{2,}|\n(?=- )/);
}

/** The sections of the benchmarks, by the commands that measure them. */
function measuredBy(command: string): string | undefined {
  const [suite = '', part] = command.replace(/^npm run bench /, '').split(' ');
  const section = textOf(home)
    .split(/^## /m)
    .find((each) => each.includes(`\`npm run bench ${suite}`));
  return part === undefined || section?.includes(part) === true ? section : undefined;
}

/** The part of the benchmarks that a link leads to: a section, or all of them. */
function sectionAt(link: string): string {
  const [, anchor] = link.split('#');
  if (anchor === undefined) return textOf(home);
  const sections = textOf(home).split(/^## /m);
  return sections.find((each) => anchorsOf(`## ${each}`)[0] === anchor) ?? '';
}

/** Rows of the table of four figures: cells without the mark-up of code. */
function fourFigures(): string[][] {
  const [, section = ''] = textOf('README.md').split(/^## Four figures$/m);
  const rows = section.split(/^## /m)[0]?.match(/^\|.*\|$/gm) ?? [];
  return rows.slice(2).map((row) =>
    row
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.replaceAll('`', '').trim()),
  );
}

describe('P5 a figure has one home', () => {
  it('the README has four, and says what measures each', () => {
    expect(fourFigures().map((row) => row.length)).toEqual([4, 4, 4, 4]);
  });

  it.each(fourFigures())('README: %s', (_what, ours = '', theirs = '', command = '') => {
    if (!command.startsWith('npm run bench')) {
      const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> };
      expect(scripts).toHaveProperty(command.replace('npm run ', ''));
      return;
    }
    const section = measuredBy(command) ?? '';
    const numbers = `${ours} ${theirs}`.match(/\d+(?:\.\d+)?/g) ?? [];
    expect(numbers.length).toBeGreaterThanOrEqual(2);
    expect(numbers.filter((number) => !has(section, number))).toEqual([]);
  });

  it.each(pages().filter((page) => page !== home))(
    '%s: what stands beside a link to the benchmarks stands there too',
    (page) => {
      const elsewhere = blocksOf(textOf(page)).flatMap((block) => {
        const links = linksOf(block).filter((link) => fileOf(page, link) === home);
        if (links.length === 0) return [];
        const measured = links.map(sectionAt).join('\n');
        return figuresOf(block)
          .filter((number) => !has(measured, number))
          .map((number) => `${number}: ${links.join(', ')}`);
      });
      expect(elsewhere).toEqual([]);
    },
  );
});
