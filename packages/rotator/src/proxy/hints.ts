import { separatorIn } from './refusal.ts';

const known: readonly (readonly [RegExp, string])[] = [
  [/^</, 'it is markup: save the list as text, CSV or JSON'],
  [/^\|/, 'it is a row of a Markdown table: write its columns between commas, under a header row'],
  [/^\d{1,7}[.)]\s/, 'it is numbered: remove the numbers before the proxies'],
  [
    /^[-*•]\s/,
    'it is an item of a bulleted list or of YAML: remove what stands before the proxy, or convert the file (see docs/lists.md)',
  ],
  [
    /^(?:PROXY|SOCKS[45]?|HTTPS?)\s+\S/,
    'it is a result of a PAC file: write a URL such as socks5://host:port',
  ],
  [
    /^(?:http|https|socks|ftp)=/i,
    'it is a setting of WinHTTP: write a URL such as http://host:port',
  ],
  [/^(?:cache_peer|server|parent)\s/i, 'it is a line of the configuration of another proxy server'],
];

/** What all of them have: a sign at the start, or a blank or `=` behind a word. Most refused lines have neither. */
const marked = /^[<|\d*•-]|[\s=]/;

/**
 * What a refused line without a scheme probably is, and what to do about it. Undefined where it looks like
 * a proxy with a mistake.
 */
export function hintFor(text: string): string | undefined {
  if (marked.test(text)) {
    for (const [pattern, hint] of known) if (pattern.test(text)) return hint;
  }
  if (text.startsWith('{') || (text.startsWith('[') && /["{]/.test(text))) {
    return 'it begins like JSON, which stands in a list of its own, without other lines before it';
  }
  const separator = separatorIn(text);
  if (separator !== undefined) {
    return `its parts stand between ${separator}: give the list a header row, or name a template such as ${exampleFor(text, separator)}`;
  }
  return text.length >= 40 && /^[A-Za-z0-9+/_-]+={0,2}$/.test(text)
    ? 'it looks like base64: decode the list first'
    : undefined;
}

const signs: Readonly<Record<string, string>> = { commas: ',', semicolons: ';', bars: '|' };

/** A template with that separator; host and port may have a colon between them. */
function exampleFor(text: string, separator: string): string {
  const sign = signs[separator] ?? ' ';
  const joined = /^[^\s,;|]*:\d/.test(text);
  return joined ? `"host:port${sign}*"` : `"host${sign}port${sign}*"`;
}
