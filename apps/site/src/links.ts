import path from 'node:path';

/** What a link of a page leads to on the site. */
export interface Destinations {
  /** The address of the page that is made of a file of the repository, or undefined. */
  pageOf(file: string): string | undefined;
  /** The address of a file that the site offers as it is, or undefined for sources and folders. */
  fileOf(file: string): string | undefined;
}

const isExternal = (link: string) => /^[a-z][a-z0-9+.-]*:/i.test(link);

/** Applies a change to the prose of a page: not to fenced blocks, and not to what stands in backticks. */
function inProse(markdown: string, change: (text: string) => string): string {
  let fence = '';
  return markdown
    .split('\n')
    .map((line) => {
      const [mark = ''] = /^`{3,}/.exec(line) ?? [];
      if (fence !== '') {
        if (line === fence) fence = '';
        return line;
      }
      if (mark !== '') {
        fence = mark;
        return line;
      }
      // A link's own text may be code, so links are changed before code is set aside.
      return change(line);
    })
    .join('\n');
}

/** A link without a destination on the site: its text, and the file where the text does not name it. */
function unlinked(text: string, file: string): string {
  return text.includes(path.posix.basename(file)) ? text : `${text} (\`${file}\`)`;
}

/**
 * Rewrites the links of a page of the repository into those of the site. Links between pages lead from `address` to the
 * address of the other page; images and configurations are offered as files; sources keep their text.
 */
export function rewriteLinks(
  markdown: string,
  source: string,
  address: string,
  to: Destinations,
): string {
  const relative = (target: string) => {
    const found = path.posix.relative(path.posix.dirname(address), target);
    return found.startsWith('.') ? found : `./${found}`;
  };
  return inProse(markdown, (line) =>
    line.replaceAll(
      /(`+)[^\n]*?\1(?![`\]])|(!?)\[((?:`[^`]*`|[^\]`])*)\]\(([^)\s]+)\)/g,
      (whole: string, tick: string | undefined, image = '', text = '', link = '') => {
        if (tick !== undefined || isExternal(link) || link.startsWith('#')) return whole;
        const [target = '', anchor] = link.split('#');
        const file = path.posix.join(path.posix.dirname(source), target);
        const page = to.pageOf(file);
        const hash = anchor === undefined ? '' : `#${anchor}`;
        if (page !== undefined) return `${image}[${text}](${relative(`${page}.md`)}${hash})`;
        const offered = to.fileOf(file);
        if (offered !== undefined) return `${image}[${text}](${offered})`;
        return unlinked(text, file);
      },
    ),
  );
}

/** Keeps two braces of a page's prose from being read as an expression of the site's templates. */
export const withoutTemplates = (markdown: string): string =>
  inProse(markdown, (line) => line.replaceAll('{{', '&#123;&#123;'));
