import { InvalidProxyError, parseProxy, parseProxyList, type Proxy } from '@whirl/rotator';
import { fieldsOf } from '../validation.ts';
import { proxyFromWire, proxyInputSchema, proxyUrlSchema } from './proxy-wire.ts';

/** A JSON array in a text; undefined when the text is anything else. */
function jsonListIn(text: string): unknown[] | undefined {
  try {
    const parsed: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
    return Array.isArray(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Understands one proxy, a text or an object with the fields of `POST /proxies`: the same rules
 * wherever it was written. Throws `InvalidProxyError`, which shows no password.
 */
export function readProxy(entry: unknown): Proxy {
  const schema = typeof entry === 'string' ? proxyUrlSchema : proxyInputSchema;
  const checked = schema.safeParse(entry);
  if (!checked.success) {
    const faults = Object.entries(fieldsOf(checked.error.issues));
    throw new InvalidProxyError(
      faults.map(([field, why]) => (field === '' ? why : `${field}: ${why}`)).join('; '),
    );
  }
  return parseProxy(typeof checked.data === 'string' ? checked.data : proxyFromWire(checked.data));
}

/** Understands a list in memory; errors name the entry, the first being 1. */
export function readProxyEntries(entries: readonly unknown[]): Proxy[] {
  const seen = new Map<string, { readonly at: number; readonly written: string }>();
  const proxies: Proxy[] = [];
  for (const [i, entry] of entries.entries()) {
    const at = i + 1;
    let proxy: Proxy;
    try {
      proxy = readProxy(entry);
    } catch (error) {
      throw new InvalidProxyError(`entry ${at}: ${(error as Error).message}`);
    }
    const written = JSON.stringify(entry);
    const before = seen.get(proxy.id);
    if (before === undefined) {
      seen.set(proxy.id, { at, written });
      proxies.push(proxy);
    } else if (before.written !== written) {
      throw new InvalidProxyError(
        `entry ${before.at} and entry ${at} are different proxies with one id, "${proxy.id}"`,
      );
    }
  }
  return proxies;
}

/**
 * Understands a list in a text: a proxy a line, or a JSON array. All or nothing: an
 * `InvalidProxyError` names the line or the entry. What is written twice counts once.
 */
export function readProxyList(text: string): Proxy[] {
  const entries = jsonListIn(text);
  return entries === undefined ? parseProxyList(text) : readProxyEntries(entries);
}
