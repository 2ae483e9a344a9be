import fc from 'fast-check';
import type { Conformance, Operation } from './conformance.ts';

export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly minimum?: number;
  readonly maximum?: number;
}

/** A lone surrogate has no UTF-8, and no percent-encoding. */
const wellFormed = (text: string) => Buffer.from(text).toString();

/** Words that mean something to some part of the server, and some that hurt naive ones. */
const spice = fc.constantFrom<unknown>(
  null,
  '',
  0,
  -1,
  1e308,
  NaN,
  true,
  [],
  {},
  '__proto__',
  'constructor',
  '127.0.0.1:1',
  'http://bob:hunter2@127.0.0.1:2',
  'socks5://127.0.0.1:3',
  'http://[::1]:4',
  '\u0000',
  '\ud800',
  '%',
  '../..',
  'x'.repeat(400),
  1.5,
  '1',
  'closed',
);
const noise = fc.oneof(spice, fc.jsonValue({ maxDepth: 3 }));

/** Values that fit a schema of the document, or nearly so. */
export function valuesOf(
  schema: Schema,
  schemas: Conformance['schemas'],
  depth = 0,
): fc.Arbitrary<unknown> {
  const fitting = (): fc.Arbitrary<unknown> => {
    if (schema.$ref !== undefined) {
      const name = schema.$ref.split('/').at(-1) ?? '';
      return valuesOf(schemas[name] as Schema, schemas, depth + 1);
    }
    const options = schema.anyOf ?? schema.allOf;
    if (options !== undefined) {
      return fc.oneof(...options.map((each) => valuesOf(each, schemas, depth + 1)));
    }
    if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
    const types = [schema.type ?? 'object'].flat() as string[];
    return fc.oneof(...types.map((type) => valuesOfType(type)));
  };
  const { minimum = -1000, maximum = 1000 } = schema;
  const valuesOfType = (type: string): fc.Arbitrary<unknown> => {
    switch (type) {
      case 'null':
        return fc.constant(null);
      case 'boolean':
        return fc.boolean();
      case 'integer':
        return fc.oneof(
          fc.integer({ min: minimum, max: Math.min(maximum, 2 ** 31 - 1) }),
          fc.constantFrom(minimum, maximum, minimum - 1, maximum + 1),
        );
      case 'number':
        return fc.oneof(
          fc.double({ min: minimum, max: maximum, noNaN: true }),
          fc.constantFrom(minimum, maximum, minimum - 1, maximum + 1),
        );
      case 'array':
        return fc.array(valuesOf(schema.items ?? {}, schemas, depth + 1), { maxLength: 4 });
      case 'string':
        return fc.oneof(
          fc.string({ maxLength: 20 }),
          spice.filter((value) => typeof value === 'string'),
        );
      default:
        return objectsOf(schema, schemas, depth);
    }
  };
  return fc.oneof({ weight: 12, arbitrary: fitting() }, { weight: 1, arbitrary: noise });
}

function objectsOf(schema: Schema, schemas: Conformance['schemas'], depth: number) {
  const { properties = {}, required = [] } = schema;
  const known = fc.record(
    Object.fromEntries(
      Object.entries(properties).map(([name, each]) => [name, valuesOf(each, schemas, depth + 1)]),
    ),
    { requiredKeys: required as string[] },
  );
  const others = fc.dictionary(fc.string({ maxLength: 5 }), noise, { maxKeys: 1 });
  return fc.oneof(
    { weight: 8, arbitrary: known },
    {
      weight: 1,
      arbitrary: fc.tuple(known, others).map(([left, right]) => ({ ...left, ...right })),
    },
  );
}

export interface Call {
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly payload: string | undefined;
}

/** Requests for one operation: mostly well-formed, sometimes anything. */
export function callsOf(
  operation: Operation,
  schemas: Conformance['schemas'],
  ids: readonly string[],
): fc.Arbitrary<Call> {
  const { path, parameters = [], requestBody } = operation;
  const id = fc.oneof(
    fc.constantFrom(...ids, ...ids.map(encodeURIComponent)),
    fc
      .string({ minLength: 1, maxLength: 10, unit: 'binary' })
      .map((text) => encodeURIComponent(wellFormed(text))),
    fc.constantFrom('%', '%zz', '%00', '..', '.', '%2e%2e', 'a%2fb', '__proto__'),
  );
  const query = fc.oneof(
    fc.constant(''),
    ...parameters
      .filter((each) => each.in === 'query')
      .map((each) =>
        fc
          .oneof(valuesOf(each.schema as Schema, schemas), fc.string({ maxLength: 5 }))
          .map((value) => `?${each.name}=${encodeURIComponent(wellFormed(String(value)))}`),
      ),
    fc.webQueryParameters().map((text) => `?${text}`),
  );
  const types = Object.keys(requestBody?.content ?? { 'application/json': 0 });
  const type = fc.oneof(
    { weight: 10, arbitrary: fc.constantFrom(...types) },
    { weight: 1, arbitrary: fc.constantFrom('application/json; charset=x', 'text/html', 'x', '') },
  );
  const json = Object.values(requestBody?.content ?? {})[0]?.schema as Schema | undefined;
  const body = fc.oneof(
    { weight: 12, arbitrary: valuesOf(json ?? {}, schemas).map((value) => JSON.stringify(value)) },
    { weight: 1, arbitrary: fc.string() },
    { weight: 1, arbitrary: fc.constantFrom('{', 'null', '[]', '""', '', '{"__proto__":1}') },
  );
  const sendsBody = operation.method !== 'GET';
  return fc.record({ id, query, type, body }).map((parts) => ({
    url: path.replace(/\{[^}]+\}/, parts.id) + parts.query,
    headers: sendsBody ? { 'content-type': parts.type } : {},
    payload: sendsBody ? (parts.body ?? 'null') : undefined,
  }));
}
