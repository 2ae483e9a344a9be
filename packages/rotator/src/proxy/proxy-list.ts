import { InvalidProxyError } from '../errors.ts';
import type { ProxyFormat } from './proxy-address.ts';
import { parseProxy, type Proxy, type ProxyInput } from './proxy.ts';

/** An entry of a list: what it says, and the line or the number under which errors name it. */
interface Entry {
  readonly at: number;
  readonly input: ProxyInput;
}

/** How a kind of list names its entries, and what is the same for entries that say the same. */
interface Kind {
  readonly place: 'line' | 'entry';
  readonly key: (input: ProxyInput) => unknown;
}

const ofJson: Kind = { place: 'line', key: (input) => JSON.stringify(input) };
const ofLines: Kind = { place: 'line', key: (input) => input };
const inMemory: Kind = {
  place: 'entry',
  key(input) {
    if (typeof input === 'string') return input.trim();
    // One that was understood before hides its password from JSON: it is only the same as itself.
    return Object.getPrototypeOf(input) === Object.prototype ? JSON.stringify(input) : input;
  },
};

/** At which lines the elements of a JSON array begin. The text is known to be valid. */
function linesOfElements(text: string): number[] {
  const lines: number[] = [];
  let line = 1;
  let depth = 0;
  let quoted = false;
  let expected = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i] as string;
    if (c === '\n') line++;
    if (quoted) {
      if (c === '\\') i++;
      else if (c === '"') quoted = false;
      continue;
    }
    if (expected && /[^\s\]]/.test(c)) {
      lines.push(line);
      expected = false;
    }
    if (c === '"') quoted = true;
    else if (c === '[' || c === '{') expected = ++depth === 1;
    else if (c === ']' || c === '}') depth--;
    else if (c === ',') expected = depth === 1;
  }
  return lines;
}

function fromJson(text: string): Entry[] {
  let list: unknown[];
  try {
    list = JSON.parse(text) as unknown[];
  } catch (error) {
    // The parser's own message may quote the text, passwords included: only its position is taken.
    const at = /position (\d+)/.exec((error as Error).message)?.[1];
    const line = at === undefined ? undefined : text.slice(0, Number(at)).split('\n').length;
    const where = line === undefined ? '' : `line ${line}: `;
    throw new InvalidProxyError(`${where}the list begins like JSON, but is not`);
  }
  const lines = linesOfElements(text);
  return list.map((input, i) => ({ at: lines[i] ?? 1, input: input as ProxyInput }));
}

function fromLines(text: string): Entry[] {
  return text.split(/\r\n|\n|\r/).flatMap((raw, i) => {
    const input = raw.replace(/(^|\s)#.*$/, '').trim();
    return input === '' ? [] : [{ at: i + 1, input }];
  });
}

/** Of a JSON array; `[` may also begin an IPv6 address. */
const beginsLikeJson = /^\s*\[\s*(?:["{\]]|$)/;

function collect(
  entries: Iterable<Entry>,
  { place, key }: Kind,
  format: ProxyFormat | undefined,
): Proxy[] {
  const byId = new Map<string, Entry>();
  const proxies: Proxy[] = [];
  const options = format === undefined ? {} : { format };
  for (const entry of entries) {
    let proxy: Proxy;
    try {
      proxy = parseProxy(entry.input, options);
    } catch (error) {
      if (!(error instanceof InvalidProxyError)) throw error;
      throw new InvalidProxyError(`${place} ${entry.at}: ${error.message}`);
    }
    const before = byId.get(proxy.id);
    if (before === undefined) {
      byId.set(proxy.id, entry);
      proxies.push(proxy);
    } else if (key(before.input) !== key(entry.input)) {
      throw new InvalidProxyError(
        `${place} ${before.at} and ${place} ${entry.at} are different proxies with one id, "${proxy.id}"`,
      );
    }
  }
  return proxies;
}

/**
 * Understands a list: a text with one proxy a line, comments (`#`) and blank lines, or a JSON array
 * of texts and objects. All or nothing: an `InvalidProxyError` names the line. Identical lines
 * collapse; different ones with one id are refused.
 */
export function parseProxyList(text: string, options: { format?: ProxyFormat } = {}): Proxy[] {
  const plain = text.replace(/^\uFEFF/, '');
  return beginsLikeJson.test(plain)
    ? collect(fromJson(plain), ofJson, options.format)
    : collect(fromLines(plain), ofLines, options.format);
}

/** The same for a list in memory, whose entries errors name by number, the first being 1. */
export function parseProxies(list: string | readonly ProxyInput[]): Proxy[] {
  if (typeof list === 'string') return parseProxyList(list);
  if (!Array.isArray(list)) throw new InvalidProxyError('proxies must be a list or a text');
  const entries = (list as readonly ProxyInput[]).map((input, i) => ({ at: i + 1, input }));
  return collect(entries, inMemory, undefined);
}
