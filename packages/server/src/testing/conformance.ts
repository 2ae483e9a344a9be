import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import type { FastifyInstance, LightMyRequestResponse } from 'fastify';

interface Described {
  readonly description: string;
  readonly content?: Record<string, { readonly schema: object }>;
}

export interface Operation {
  readonly method: string;
  /** With its parameters in braces. */
  readonly path: string;
  readonly operationId: string;
  readonly parameters?: readonly { name: string; in: string; schema: object }[];
  readonly requestBody?: { readonly content: Record<string, { readonly schema: object }> };
  readonly responses: Readonly<Record<string, Described>>;
}

export interface Conformance {
  readonly operations: readonly Operation[];
  readonly schemas: Readonly<Record<string, object>>;
  /** Throws unless the response is one that the document describes for this operation. */
  check(method: string, url: string, response: LightMyRequestResponse): void;
}

/** Compares responses with the server's own OpenAPI document. */
export function conformanceOf(app: FastifyInstance): Conformance {
  const document = app.swagger() as unknown as {
    readonly paths: Record<string, Record<string, Omit<Operation, 'method' | 'path'>>>;
    readonly components: { readonly schemas: Record<string, object> };
  };
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      ...operation,
      method: method.toUpperCase(),
      path,
    })),
  );
  const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
  ajv.addSchema({ $id: 'api', components: document.components });
  const validators = new Map<object, ValidateFunction>();
  const validatorOf = (schema: object) => {
    let validate = validators.get(schema);
    if (validate === undefined) {
      const text = JSON.stringify(schema).replaceAll('"#/components/', '"api#/components/');
      validators.set(schema, (validate = ajv.compile(JSON.parse(text) as object)));
    }
    return validate;
  };
  const patterns = operations.map(({ path }) => {
    const literal = path.replaceAll('.', '\\.').replace(/\{[^}]+\}/g, '[^/]+');
    return new RegExp(`^${literal}$`);
  });
  const find = (method: string, pathname: string) => {
    const matches = operations.filter(
      (each, i) => each.method === method && patterns[i]?.test(pathname) === true,
    );
    // A fixed path wins over one with parameters, as in the router.
    return matches.find(({ path }) => !path.includes('{')) ?? matches[0];
  };
  return {
    operations,
    schemas: document.components.schemas,
    check(method, url, response) {
      const pathname = url.split('?')[0] ?? url;
      const operation = find(method, pathname);
      const got = `${method} ${url} responded ${response.statusCode} ${response.body.slice(0, 500)}`;
      const type = response.headers['content-type'];
      const mediaType = String(type).split(';')[0] ?? '';
      if (operation === undefined) {
        if (response.statusCode === 404 || response.statusCode === 400) return;
        throw new Error(`${got}, but no such operation is documented`);
      }
      const described = operation.responses[String(response.statusCode)];
      if (described === undefined) {
        const unrouted = response.statusCode === 404 && pathname.length > 300;
        if (unrouted) return;
        throw new Error(`${got}, which is not documented`);
      }
      if (described.content === undefined) {
        if (response.body !== '') throw new Error(`${got}, but no content is documented`);
        return;
      }
      const content = described.content[mediaType];
      if (content === undefined) throw new Error(`${got} as ${mediaType}, not documented`);
      if (mediaType !== 'application/json') return;
      const validate = validatorOf(content.schema);
      if (!validate(JSON.parse(response.body))) {
        throw new Error(
          `${got}, which does not match its schema: ${ajv.errorsText(validate.errors)}`,
        );
      }
    },
  };
}
