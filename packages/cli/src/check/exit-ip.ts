import { isIP } from 'node:net';

/** Fields of JSON in which services tell the caller's address. */
const fields = ['ip', 'origin', 'query', 'ip_addr', 'ip_address', 'ipAddress', 'address'];

function addressIn(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  // httpbin lists the addresses on the way: the first is the caller's.
  const first = value.split(',', 1)[0]?.trim() ?? '';
  return isIP(first) === 0 ? undefined : first;
}

/**
 * The address that a target says it was asked from: a body that is nothing but an address, JSON with one in a field
 * such as `ip` or `origin`, or a line `ip=…`. Undefined when it tells none.
 */
export function exitIpIn(body: string): string | undefined {
  const text = body.trim();
  if (isIP(text) !== 0) return text;
  if (text.startsWith('{')) {
    try {
      const json = JSON.parse(text) as Record<string, unknown>;
      for (const name of fields) {
        const found = addressIn(json[name]);
        if (found !== undefined) return found;
      }
    } catch {
      // Not JSON after all.
    }
    return undefined;
  }
  return addressIn(/^ip=(.*)$/m.exec(text)?.[1]);
}
