import { runSnippets } from '@whirl/testkit/readme-snippets';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const folders = ['.', 'docs', 'docs/migrating'].concat(
  ['packages', 'apps'].flatMap((parent) =>
    readdirSync(path.join(root, parent)).map((name) => path.join(parent, name)),
  ),
);
const pages = folders.flatMap((folder) =>
  readdirSync(path.join(root, folder))
    .filter((name) => name.endsWith('.md') && name !== 'CHANGELOG.md')
    .map((name) => path.join(folder, name)),
);

/** The anchor that a heading gets where the pages are shown. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-');

const withoutCode = (text: string) => text.replace(/^```[\s\S]*?^```$/gm, '');

function anchors(file: string): string[] {
  const headings = withoutCode(readFileSync(file, 'utf8')).matchAll(/^#+ (.+)$/gm);
  return Array.from(headings, ([, heading = '']) => anchorOf(heading));
}

describe('P3 the documentation', () => {
  it.each(pages)('every relative link of %s leads somewhere', (page) => {
    const text = withoutCode(readFileSync(path.join(root, page), 'utf8'));
    const broken: string[] = [];
    for (const [, link = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(link)) continue;
      const [file = '', anchor] = link.split('#');
      const target = file === '' ? path.join(root, page) : path.join(root, page, '..', file);
      if (!existsSync(target)) broken.push(link);
      else if (anchor !== undefined && !anchors(target).includes(anchor)) broken.push(link);
    }
    expect(broken).toEqual([]);
  });

  it('the snippets of the README run as pasted', async () => {
    const runs = await runSnippets(pathToFileURL(path.join(root, 'README.md')));
    expect(runs.map(({ output }) => output).join('\n')).toMatch(/a row[\s\S]*done at attempt 1/);
  });

  it('the snippets of the guide compile, and run where they can', async () => {
    const runs = await runSnippets(pathToFileURL(path.join(root, 'docs/guide.md')));
    expect(runs.filter(({ runs }) => runs).map(({ output }) => output)).toEqual([
      expect.stringContaining('127.0.0.1:9: closed'),
      expect.stringContaining('retries: 0'),
    ]);
  });
});
