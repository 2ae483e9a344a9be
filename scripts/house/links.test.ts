import { describe, expect, it } from 'vitest';
import { anchorsOf, fileOf, linksOf, pages, textOf } from './pages.ts';

const isExternal = (link: string) => /^[a-z][a-z0-9+.-]*:/i.test(link);

/** What is wrong with the form of a link that leaves the repository. It is not dialled. */
function wrongForm(link: string): string | undefined {
  if (!URL.canParse(link)) return `${link} is no URL`;
  const { protocol, hostname, username } = new URL(link);
  const here = ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
  if (protocol !== 'https:' && !here) return `${link} is not https`;
  if (!here && !hostname.includes('.')) return `${link} has no host`;
  return username === '' ? undefined : `${link} has credentials`;
}

function broken(page: string, link: string): string | undefined {
  if (isExternal(link)) return wrongForm(link);
  const file = fileOf(page, link);
  if (file === undefined) return `${link}: no such file`;
  const [, anchor] = link.split('#');
  if (anchor === undefined) return undefined;
  if (!file.endsWith('.md')) return `${link}: ${file} has no headings`;
  return anchorsOf(textOf(file)).includes(anchor) ? undefined : `${link}: no such heading`;
}

describe('P3 the documentation', () => {
  it.each(pages())('every link of %s leads somewhere', (page) => {
    const all = linksOf(textOf(page)).map((link) => broken(page, link));
    expect(all.filter((fault) => fault !== undefined)).toEqual([]);
  });

  it('every page of docs/ can be reached from the README', () => {
    const reached = new Set(['README.md']);
    for (const page of reached) {
      if (!page.endsWith('.md')) continue;
      for (const link of linksOf(textOf(page))) {
        const file = isExternal(link) ? undefined : fileOf(page, link);
        if (file !== undefined) reached.add(file);
      }
    }
    expect(pages().filter((page) => page.startsWith('docs/') && !reached.has(page))).toEqual([]);
  });

  it('links are found in every form, and not in code', () => {
    const text = [
      '[a](one.md) ![b](two.png "title") [c](<three.md>) `[d](no.md)`',
      '```md',
      '[e](no.md)',
      '```',
      '[f]: four.md',
      '<img src="five.svg">',
    ].join('\n');
    expect(linksOf(text)).toEqual(['one.md', 'two.png', 'three.md', 'four.md', 'five.svg']);
  });

  it('a heading that comes twice has two anchors', () => {
    expect(anchorsOf('# `a()` and **B**, c!\n## same\n## same\n```\n# no\n```\n')).toEqual([
      'a-and-b-c',
      'same',
      'same-1',
    ]);
  });
});
