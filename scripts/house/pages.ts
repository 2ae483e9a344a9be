import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { headingAnchor } from '../../apps/site/src/anchor.ts';
import { absolute } from './files.ts';

const skipped = new Set(['node_modules', 'dist', 'api', '.git', '.turbo']);

function markdownIn(folder: string): string[] {
  return readdirSync(absolute(folder), { withFileTypes: true }).flatMap((entry) => {
    const name = path.posix.join(folder, entry.name);
    if (entry.isDirectory()) return skipped.has(entry.name) ? [] : markdownIn(name);
    return entry.name.endsWith('.md') && entry.name !== 'CHANGELOG.md' ? [name] : [];
  });
}

const children = (parent: string) =>
  readdirSync(absolute(parent)).map((name) => path.posix.join(parent, name));

/** Every page of the documentation: docs/, the READMEs, and the pages beside the first of them. */
export function pages(): string[] {
  const readmes = [...children('packages'), ...children('apps')]
    .map((folder) => path.posix.join(folder, 'README.md'))
    .filter((page) => existsSync(absolute(page)));
  const top = readdirSync(absolute('.')).filter((name) => name.endsWith('.md'));
  return [...top, ...readmes, ...markdownIn('docs')];
}

export const textOf = (page: string): string => readFileSync(absolute(page), 'utf8');

/** The page without its fenced blocks, and without what stands in backticks. */
const prose = (text: string) =>
  text.replace(/^(`{3,}).*\n[\s\S]*?^\1$/gm, '').replace(/(`+)[^\n]*?\1/g, '');

/** What the page links to, images included, as it is written. */
export function linksOf(text: string): string[] {
  const inline = prose(text).matchAll(/\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g);
  const named = prose(text).matchAll(/^\[[^\]]+\]:\s*(\S+)/gm);
  const html = prose(text).matchAll(/\b(?:href|src)="([^"]+)"/g);
  return [...inline, ...named, ...html].map(([, link = '']) => link);
}

/** The anchors of a page's headings, as GitHub and the site make them. */
export function anchorsOf(text: string): string[] {
  const seen = new Map<string, number>();
  const headings = text.replace(/^(`{3,}).*\n[\s\S]*?^\1$/gm, '').matchAll(/^#{1,6} (.+)$/gm);
  return Array.from(headings, ([, heading = '']) => {
    const anchor = headingAnchor(heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1'));
    const count = seen.get(anchor) ?? 0;
    seen.set(anchor, count + 1);
    return count === 0 ? anchor : `${anchor}-${count}`;
  });
}

/** The file that a link of a page leads to: a folder stands for its README. */
export function fileOf(page: string, link: string): string | undefined {
  const [target = ''] = link.split('#');
  if (target === '') return page;
  const file = path.posix.normalize(path.posix.join(path.posix.dirname(page), target));
  if (!existsSync(absolute(file))) return undefined;
  if (!statSync(absolute(file)).isDirectory()) return file;
  const readme = path.posix.join(file, 'README.md');
  return existsSync(absolute(readme)) ? readme : file;
}
