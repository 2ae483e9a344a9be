import { validatorCompiler } from 'fastify-zod-openapi';
import { z } from 'zod';
import { ApiError, failures } from '../http/errors.ts';
import { importProxies, maxImportLines } from '../proxies/import-proxies.ts';
import { formatSchema } from '../proxies/proxy-list.ts';
import { protocols, proxyInputSchema, proxyUrlSchema } from '../wire/proxy-wire.ts';
import type { App, Routes } from './route-context.ts';

const maxBytes = 16 * 1024 * 1024;
const contentTypes = ['application/json', 'application/x-ndjson', 'text/csv', 'text/plain'];

const querySchema = z.strictObject({
  on_invalid: z.enum(['throw', 'skip']).default('throw').meta({
    description:
      'What an entry that is not a proxy does: refuse the list, or be left out and counted.',
  }),
  on_existing: z
    .enum(['fail', 'skip', 'replace'])
    .default('fail')
    .meta({
      description:
        'What a proxy does whose id the pool has: refuse the list, be left out, or take the place of ' +
        'the other, which keeps what was learned of it.',
    }),
  format: formatSchema.optional().meta({
    description:
      'host:port:user:pass, user:pass:host:port, records, proxychains, or a template such as ' +
      'host:port:region. Default: what has one reading is understood.',
    examples: ['host:port:region'],
  }),
  default_protocol: z.enum(protocols).optional().meta({
    description: 'Of entries that name none. Default: http.',
  }),
});

const issueSchema = z
  .strictObject({
    line: z.int().min(1).meta({ description: 'Of JSON on one line: the number of the entry.' }),
    reason: z.string().meta({ description: 'Never holds a password.' }),
  })
  .meta({ id: 'ProxyIssue' });

const importedSchema = z
  .strictObject({
    imported: z.int().min(0),
    ids: z.array(z.string()).meta({ description: 'The first 1,000.' }),
    kind: z.enum(['lines', 'csv', 'json', 'json-lines', 'entries']),
    skipped: z.strictObject({
      count: z.int().min(0),
      first: z.array(issueSchema).meta({ description: 'The first 20.' }),
    }),
    duplicates: z
      .int()
      .min(0)
      .meta({ description: 'Entries that say the same as an earlier one.' }),
    conflicts: z.int().min(0).meta({
      description: 'Entries left out because an earlier one has their id and says something else.',
    }),
    existing: z.int().min(0).meta({ description: 'Left out or replaced, see on_existing.' }),
  })
  .meta({ id: 'ImportedProxies' });

const listSchema = z.array(z.union([proxyUrlSchema, proxyInputSchema])).max(maxImportLines);
const text = (description: string, example: string) => ({
  schema: z.string().meta({ description, examples: [example] }),
});

/** The reader of lists validates the body itself: it names lines, counts, and takes foreign objects. */
const validateQuery: typeof validatorCompiler = (route) =>
  route.httpPart === 'body' ? (value) => ({ value }) : validatorCompiler(route);

/** Adds a list to the pool. In a scope of its own, where a body is text whatever its content type. */
export const importRoute: Routes = (app, { rotator }) => {
  void app.register(async (scope) => {
    scope.setValidatorCompiler(validateQuery);
    scope.removeContentTypeParser(contentTypes);
    scope.addContentTypeParser(
      contentTypes,
      { parseAs: 'string', bodyLimit: maxBytes },
      (_request, body, done) => done(null, body),
    );
    (scope as unknown as App).post(
      '/proxies/import',
      {
        bodyLimit: maxBytes,
        schema: {
          operationId: 'importProxies',
          summary: 'Add a list of proxies, all at once or none',
          tags: ['Proxies'],
          querystring: querySchema,
          body: {
            required: true,
            content: {
              'application/json': { schema: listSchema },
              'text/plain': text(
                'One proxy a line; # begins a comment. Or any of the other forms.',
                'proxy1.example.com:8080\nsocks5://user:pass@proxy2.example.com:1080\n',
              ),
              'text/csv': text(
                'A table with a header row.',
                'ip,port,protocol,country\n192.0.2.1,8080,socks5,DE\n',
              ),
              'application/x-ndjson': text(
                'A JSON object a line.',
                '{"ip":"192.0.2.1","port":8080}\n{"ip":"192.0.2.2","port":8080}\n',
              ),
            },
          },
          response: {
            201: {
              description: 'What became of the list.',
              content: { 'application/json': { schema: importedSchema } },
            },
            ...failures(400, 409, 413, 415),
          },
        },
      },
      async ({ body, query }, reply) => {
        if (typeof body !== 'string' || body === '') {
          throw new ApiError(400, 'invalid_input', 'the body: expected a list of proxies');
        }
        const imported = await importProxies(rotator, body, {
          onInvalid: query.on_invalid,
          onExisting: query.on_existing,
          format: query.format,
          defaultProtocol: query.default_protocol,
        });
        return reply.code(201).send(imported as z.infer<typeof importedSchema>);
      },
    );
  });
};
