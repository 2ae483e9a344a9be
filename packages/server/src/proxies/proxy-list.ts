import {
  InvalidProxyError,
  parseProxy,
  readProxyList,
  readProxyListAsync,
  type Proxy,
  type ProxyListOptions,
  type ProxyListReport,
  type ProxyOptions,
} from '@whirl/rotator';
import { z } from 'zod';
import { fieldsOf } from '../http/validation.ts';
import { idSchema, proxyFromWire, proxyInputSchema, proxyUrlSchema } from '../wire/proxy-wire.ts';

/** Refuses by field what does not follow a schema. */
function refuse(issues: Parameters<typeof fieldsOf>[0]): never {
  const fields = Object.entries(fieldsOf(issues));
  throw new InvalidProxyError(
    fields.map(([field, why]) => (field === '' ? why : `${field}: ${why}`)).join('; '),
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

/** Why an id cannot stand in a path of the API: a template may take it from a column. */
function whyNotId({ id }: Proxy): string | undefined {
  const checked = idSchema.safeParse(id);
  return checked.success ? undefined : `its id ${checked.error.issues[0]?.message ?? 'is refused'}`;
}

/** The options of the library under which objects have the fields of the API. */
function listOptions(settings: ListSettings): ProxyListOptions {
  // Ids that are made of host and port, or come through the schema of objects, need no second look.
  const check = settings.format?.includes('id') === true ? whyNotId : undefined;
  return { ...settings, fromObject, check };
}

/**
 * Understands a list in a text, in whatever format, in steps between which others run. Rejects with
 * `InvalidProxyError`, which has its issues.
 */
export function readListAsync(text: string, settings: ListSettings): Promise<ProxyListReport> {
  return readProxyListAsync(text, listOptions(settings));
}
