import { wishPrefix } from '../routing/wish-fields.ts';
import { listOf } from '../head/request-head.ts';

/** Fields that speak of one connection (RFC 9110, section 7.6.1), or to a proxy. */
const always = new Set([
  'connection',
  'keep-alive',
  'te',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);

/** Whether a field, in lower case, is for this hop alone. */
function isForThisHop(name: string, named: readonly string[]): boolean {
  return (
    always.has(name) ||
    name.startsWith('proxy-') ||
    name.startsWith(wishPrefix) ||
    named.includes(name)
  );
}

/** The fields that go on to the next hop: without those of this one, and without those in `but`. */
export function passedOn(fields: readonly string[], but: readonly string[] = []): string[] {
  const named = listOf(fields, 'connection');
  const passed: string[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string;
    const lower = name.toLowerCase();
    if (isForThisHop(lower, named) || but.includes(lower)) continue;
    passed.push(name, fields[i + 1] as string);
  }
  return passed;
}
