import { describe, expect, it } from 'vitest';
import { rewriteLinks, withoutTemplates } from './links.ts';

const destinations = {
  pageOf: (file: string) =>
    ({ 'docs/guides/fetch.md': 'guides/fetch', 'packages/rotator': 'packages/rotator' })[file],
  fileOf: (file: string) => (file.endsWith('.svg') ? `/files/${file}` : undefined),
};
const rewritten = (markdown: string) =>
  rewriteLinks(markdown, 'docs/guides/bans.md', 'guides/bans', destinations);

describe('rewriteLinks', () => {
  it('leads to the page that is made of a file or of a folder, with its anchor', () => {
    expect(rewritten('[a](fetch.md#the-verbs), [b](../../packages/rotator)')).toBe(
      '[a](./fetch.md#the-verbs), [b](../packages/rotator.md)',
    );
  });

  it('leaves what leads elsewhere or within the page as it is', () => {
    const text = '[a](https://example.com/x) [b](#there)';
    expect(rewritten(text)).toBe(text);
  });

  it('offers pictures as files', () => {
    expect(rewritten('![a picture](way.svg)')).toBe('![a picture](/files/docs/guides/way.svg)');
  });

  it('keeps the text of a link to a source, and names the file where the text does not', () => {
    expect(rewritten('[`dial.ts`](../src/dial.ts) and [the dial](../src/dial.ts)')).toBe(
      '`dial.ts` and the dial (`docs/src/dial.ts`)',
    );
  });

  it('changes no code', () => {
    const text = '`[a](fetch.md)`\n```md\n[a](fetch.md)\n```';
    expect(rewritten(text)).toBe(text);
  });
});

it('two braces of prose are no template, and those of code stay', () => {
  expect(withoutTemplates('a {{ b }}\n```\n{{ c }}\n```')).toBe(
    'a &#123;&#123; b }}\n```\n{{ c }}\n```',
  );
});
