import { read } from '../repository.ts';
import { anchor, code, page, table } from './markdown.ts';

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}

interface Body {
  readonly description?: string;
  readonly content?: Readonly<Record<string, { readonly schema?: Schema }>>;
}

interface Operation {
  readonly summary?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly description?: string;
    readonly schema?: Schema;
  }[];
  readonly requestBody?: Body;
  readonly responses?: Readonly<Record<string, Body>>;
}

interface Document {
  readonly info: { readonly description?: string };
  readonly tags?: readonly { readonly name: string; readonly description?: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

const methods = ['get', 'post', 'put', 'patch', 'delete'];
const nameOf = (reference: string) => reference.split('/').at(-1) ?? '';

const word = (value: unknown) => code(typeof value === 'string' ? value : JSON.stringify(value));

function typeOf(schema: Schema | undefined): string {
  if (schema === undefined) return '';
  if (schema.$ref !== undefined) {
    const name = nameOf(schema.$ref);
    return `[${name}](#${anchor('schema', name)})`;
  }
  const parts = schema.anyOf ?? schema.oneOf ?? schema.allOf;
  if (parts !== undefined) return [...new Set(parts.map(typeOf))].join(' or ');
  if (schema.enum !== undefined) return schema.enum.map(word).join(' ');
  if (schema.const !== undefined) return word(schema.const);
  if (schema.items !== undefined) return `list of ${typeOf(schema.items)}`;
  return [schema.type ?? 'any'].flat().join(' or ');
}

function boundsOf(schema: Schema | undefined): string {
  if (schema === undefined) return '';
  const { minimum, maximum, exclusiveMinimum, default: usual } = schema;
  // The largest integer of JavaScript is what a validator says for "no bound".
  const top = maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum;
  const low = minimum === Number.MIN_SAFE_INTEGER ? undefined : minimum;
  return [
    low !== undefined && top !== undefined ? `${low} to ${top}.` : '',
    low !== undefined && top === undefined ? `At least ${low}.` : '',
    low === undefined && top !== undefined ? `At most ${top}.` : '',
    exclusiveMinimum !== undefined ? `Greater than ${exclusiveMinimum}.` : '',
    usual !== undefined ? `Default ${code(JSON.stringify(usual))}.` : '',
  ]
    .filter((text) => text !== '')
    .join(' ');
}

const told = (...texts: readonly (string | undefined)[]) =>
  texts.filter((text) => text !== undefined && text !== '').join(' ');

const bodyOf = ({ content = {} }: Body) =>
  Object.entries(content)
    .map(([type, { schema }]) => told(code(type), typeOf(schema)))
    .join(', ');

function operation(method: string, path: string, one: Operation): string {
  const parts = [`### ${method.toUpperCase()} ${path} {#${anchor(method, path)}}`];
  parts.push(told(one.summary?.replace(/\.?$/, '.'), one.description));
  if (one.parameters !== undefined && one.parameters.length > 0) {
    parts.push(
      table(
        ['parameter', 'in', 'type', ''],
        one.parameters.map((each) => [
          code(each.name),
          each.in,
          typeOf(each.schema),
          told(each.required ? 'Required.' : '', each.description, boundsOf(each.schema)),
        ]),
      ),
    );
  }
  if (one.requestBody !== undefined) parts.push(`Body: ${bodyOf(one.requestBody)}.`);
  parts.push(
    table(
      ['status', 'body', ''],
      Object.entries(one.responses ?? {}).map(([status, response]) => [
        status,
        bodyOf(response),
        response.description ?? '',
      ]),
    ),
  );
  return parts.join('\n\n');
}

function schemaSection(name: string, schema: Schema): string {
  const rows = Object.entries(schema.properties ?? {}).map(([field, of]) => [
    code(field),
    typeOf(of),
    told(schema.required?.includes(field) ? '' : 'May be absent.', of.description, boundsOf(of)),
  ]);
  return [
    `### ${name} {#${anchor('schema', name)}}`,
    ...(schema.description === undefined ? [] : [schema.description]),
    rows.length === 0 ? typeOf(schema) : table(['field', 'type', ''], rows),
  ].join('\n\n');
}

/** The API of the server, from its OpenAPI document. */
export function rest(file: string): string {
  const { info, tags = [], paths, components } = JSON.parse(read(file)) as Document;
  const all = Object.entries(paths).flatMap(([path, item]) =>
    methods.flatMap((method) => {
      const one = item[method];
      return one === undefined ? [] : [{ method, path, one }];
    }),
  );
  const names = [
    ...new Set([...tags.map(({ name }) => name), ...all.flatMap(({ one }) => one.tags ?? [])]),
  ];
  const groups = names.map((name) => ({
    name,
    of: all.filter(({ one }) => one.tags?.[0] === name),
  }));
  const untagged = all.filter(({ one }) => one.tags === undefined || one.tags.length === 0);
  if (untagged.length > 0) groups.push({ name: 'Other', of: untagged });
  const used = groups.filter(({ of }) => of.length > 0);
  return page('REST', told(info.description, 'The guide: [the server](../packages/server.md).'), [
    table(
      ['method', 'path', 'what it does'],
      all.map(({ method, path, one }) => [
        method.toUpperCase(),
        `[${code(path)}](#${anchor(method, path)})`,
        one.summary ?? '',
      ]),
    ),
    ...used.flatMap(({ name, of }) => [
      `## ${name}`,
      ...of.map(({ method, path, one }) => operation(method, path, one)),
    ]),
    '## Schemas',
    ...Object.entries(components.schemas).map(([name, schema]) => schemaSection(name, schema)),
  ]);
}
