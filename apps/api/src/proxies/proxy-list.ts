import {
  InvalidProxyError,
  parseProxy,
  readProxyList,
  type Proxy,
  type ProxyListOptions,
  type ProxyListReport,
  type ProxyOptions,
} from '@whirl/rotator';
import { z } from 'zod';
import { fieldsOf } from '../validation.ts';
import { idSchema, proxyFromWire, proxyInputSchema, proxyUrlSchema } from './proxy-wire.ts';

/** Refuses by field what does not follow a schema. */
function refuse(issues: Parameters<typeof fieldsOf>[0]): never {
  const faults = Object.entries(fieldsOf(issues));
  throw new InvalidProxyError(
    faults.map(([field, why]) => (field === '' ? why : `${field}: ${why}`)).join('; '),
  );
}

/** An object with the fields of `POST /proxies`, as the library has it. */
function fromObject(entry: unknown): ProxyOptions {
  const checked = proxyInputSchema.safeParse(entry);
  return checked.success ? proxyFromWire(checked.data) : refuse(checked.error.issues);
}

/**
 * Understands one proxy, a text or an object with the fields of `POST /proxies`: the same rules
 * wherever it was written. Throws `InvalidProxyError`, which shows no password.
 */
export function readProxy(entry: unknown): Proxy {
  if (typeof entry !== 'string') return parseProxy(fromObject(entry));
  const checked = proxyUrlSchema.safeParse(entry);
  return parseProxy(checked.success ? checked.data : refuse(checked.error.issues));
}

/** A format that a list can be read by. */
export const formatSchema = z
  .string()
  .max(200)
  .superRefine((format, context) => {
    try {
      readProxyList('', { format });
    } catch (error) {
      // A template is refused at once; that there is nothing to read in this text is no matter.
      if (!(error instanceof InvalidProxyError)) {
        context.addIssue({ code: 'custom', message: (error as Error).message });
      }
    }
  });

/** How a list is read: what an operator or a client may choose. */
export type ListSettings = Pick<ProxyListOptions, 'format' | 'defaultProtocol' | 'onInvalid'>;

/** The options of the library under which objects have the fields of the API. */
export function listOptions(settings: ListSettings): ProxyListOptions {
  return { ...settings, fromObject };
}

/** Refuses ids that a path of the API cannot have: a template may take them from a column. */
export function checkIds(report: ProxyListReport, { format }: ListSettings): ProxyListReport {
  if (format?.includes('id') !== true) return report;
  for (const [i, { id }] of report.proxies.entries()) {
    const checked = idSchema.safeParse(id);
    if (checked.success) continue;
    const why = checked.error.issues[0]?.message ?? 'is not an id';
    throw new InvalidProxyError(`the id of proxy ${i + 1} of the list ${why}`);
  }
  return report;
}

/** Understands a list in a text, in whatever format. Throws `InvalidProxyError` with its faults. */
export function readList(text: string, settings: ListSettings = {}): ProxyListReport {
  return checkIds(readProxyList(text, listOptions(settings)), settings);
}
