/** What is no list that whirl reads, by how its first lines look, and what to do with it. */
const kinds: readonly (readonly [RegExp, string])[] = [
  [
    /^\s*<(?:!doctype html|html|head|body|table|script)/i,
    'this is an HTML page, perhaps an error page in place of the list: download the text, CSV or JSON',
  ],
  [
    /^\s*<(?:\?xml|[a-z])/i,
    'this is XML, such as a profile of Proxifier: write a proxy a line, type, address and port as a URL',
  ],
  [
    /^[^\n]*function\s+FindProxyForURL/m,
    'this is a PAC file, a program that picks a proxy: list the proxies that it names',
  ],
  [
    /^(?:proxies|proxy-providers|mixed-port|proxy-groups):\s*(?:#.*)?$/m,
    'this is a clash file (YAML): its HTTP and SOCKS proxies can be converted, see docs/lists.md',
  ],
  [
    /^[ \t]*-[ \t]+\{?\s*["']?(?:name|type|server)["']?\s*:/m,
    'this is YAML, such as the proxies of a clash file: its HTTP and SOCKS proxies can be converted, see docs/lists.md',
  ],
  [
    /^[ \t]*cache_peer\s/m,
    'this is a squid configuration: its cache_peer lines can be converted, see docs/lists.md',
  ],
  [
    /^(?:backend|frontend|listen|defaults)\s+\S/m,
    'this is a HAProxy configuration: list the addresses of its servers',
  ],
  [
    /^[ \t]*\|.*\|[ \t]*\r?\n[ \t]*\|[ \t:|-]+\|[ \t]*\r?$/m,
    'this is a Markdown table: write its columns between commas, under a header row',
  ],
  [
    /^\s*(?:https?|socks[45][ah]?)(?:[,;\t|](?:https?|socks[45][ah]?))+[ \t]*$/im,
    'this is a table with a column for each protocol: make a list of each column, and read it with its defaultProtocol',
  ],
];

const proxychains = /^[ \t]*\[ProxyList\]/im;

/** In which `[ProxyList]` is looked for: the comments before it take 5,000 characters by default. */
const maxHead = 65_536;

/** Why a whole text is not read; undefined: its lines are. */
export function whyUnreadable(text: string): string | undefined {
  const beginning = text.slice(0, 4000);
  if (beginning.includes('\0')) {
    return 'the list holds NUL characters: it is binary, or UTF-16; save it as UTF-8';
  }
  if (proxychains.test(text.slice(0, maxHead))) {
    return 'this is a configuration of proxychains: name the format "proxychains"';
  }
  for (const [pattern, why] of kinds) if (pattern.test(beginning)) return why;
  return undefined;
}
