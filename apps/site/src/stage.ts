import { cpSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { rewriteLinks, withoutTemplates, type Destinations } from './links.ts';
import { generatedName, presentSections, type SitePage } from './navigation.ts';
import { reference } from './reference/reference.ts';
import { has, inRepository, read } from './repository.ts';

/** What may be downloaded from the site: no sources, which the repository shows better. */
const offered = /\.(?:png|svg|conf|service|ya?ml|json)$|(?:^|\/)(?:Caddyfile|Dockerfile|LICENSE)$/;

/** Kinds that browsers and the generator know by the end of their names. The others get one. */
const known = /\.(?:png|svg|conf|ya?ml|json)$/;

/** Knows the pages of the site by the files that they are made of, and notes which files they offer. */
class Addresses implements Destinations {
  /** The files that pages link to, and where they stand on the site. */
  readonly files = new Map<string, string>();
  readonly #pages: ReadonlyMap<string, string>;

  constructor(pages: readonly SitePage[]) {
    this.#pages = new Map([
      ['README.md', 'index'],
      ...pages.map(({ source, path: address }) => [source, address] as const),
    ]);
  }

  pageOf(file: string): string | undefined {
    return this.#pages.get(file) ?? this.#pages.get(path.posix.join(file, 'README.md'));
  }

  fileOf(file: string): string | undefined {
    if (!offered.test(file) || !has(file) || !statSync(inRepository(file)).isFile())
      return undefined;
    const address = `files/${file}${known.test(file) ? '' : '.txt'}`;
    this.files.set(file, address);
    return `/${address}`;
  }
}

/** Pages with so many sections that their outline has the topics alone. */
const long = new Set(['docs/behaviour.md', 'docs/decisions.md']);

/** The first page: the README, whose sentence and picture stand on top. Its links to the guides become buttons. */
function home(markdown: string): string {
  const paragraphs = markdown.split(/\n{2,}/);
  const [title = '', sentence = ''] = paragraphs;
  const picture = paragraphs.find((each) => /^!\[[^\]]*\]\([^)]*\)$/.test(each));
  const [, alt, src] = /^!\[(.*)\]\((.*)\)$/.exec(picture ?? '') ?? [];
  if (src === undefined) throw new Error('the README has no picture for the first page');
  const isWayToGuides = (each: string) => each.startsWith('[Start in one minute]');
  const rest = paragraphs.slice(2).filter((each) => each !== picture && !isWayToGuides(each));
  const front = {
    layout: 'home',
    hero: {
      name: title.replace(/^# /, ''),
      text: 'HTTP through proxies that fail',
      tagline: sentence.replaceAll('\n', ' ').replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1'),
      image: { src, alt },
      actions: [
        { theme: 'brand', text: 'Start in one minute', link: '/start' },
        { theme: 'alt', text: 'Guides', link: '/guide' },
        { theme: 'alt', text: 'Troubleshooting', link: '/guides/troubleshooting' },
      ],
    },
  };
  return ['---', JSON.stringify(front, undefined, 2), '---', ...rest].join('\n\n');
}

/** Writes every page of the site into a folder, as the generator reads them. */
export function stage(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  const pages = presentSections().flatMap((section) => section.pages);
  const addresses = new Addresses(pages);
  const write = (address: string, markdown: string) => {
    const file = path.join(folder, `${address}.md`);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, withoutTemplates(markdown));
  };
  const made: Readonly<Record<string, string>> = reference();
  for (const { source, path: address } of pages) {
    const name = generatedName(source);
    const text =
      name === undefined
        ? rewriteLinks(read(source), source, address, addresses)
        : (made[name] ?? '');
    write(address, long.has(source) ? `---\noutline: 2\n---\n\n${text}` : text);
  }
  write('index', home(rewriteLinks(read('README.md'), 'README.md', 'index', addresses)));
  for (const [file, address] of addresses.files) {
    cpSync(inRepository(file), path.join(folder, 'public', address), { recursive: true });
  }
}
