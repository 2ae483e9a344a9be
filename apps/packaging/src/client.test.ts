import { readFile, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import openapiTypescript, { astToString } from 'openapi-typescript';
import { describe, expect, it, onTestFinished } from 'vitest';
import { run } from './packed.ts';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** A program that calls the API, with the types that are generated from its description. */
const program = (fields: string) => `
import createClient from 'openapi-fetch';
import type { paths } from './api.js';

const api = createClient<paths>({ baseUrl: 'http://localhost:8000' });
const { data: page } = await api.GET('/api/v1/proxies', { params: { query: { limit: 10, state: 'open' } } });
const ids: (string | undefined)[] = page?.proxies.map((proxy) => proxy.id) ?? [];
const cursor: string | null | undefined = page?.next_cursor;
const { data: policy } = await api.PATCH('/api/v1/retry/policy', { body: { max_attempts: 5 } });
const attempts: number | undefined = policy?.max_attempts;
const { data: circuit } = await api.POST('/api/v1/circuit-breakers/{id}/reset', {
  params: { path: { id: 'proxy.example.com:8080' } },
});
const state: 'closed' | 'open' | 'half_open' | undefined = circuit?.state;
const { data: sent, error } = await api.POST('/api/v1/request', {
  body: { url: 'https://api.example.com/', ${fields} },
});
const status: number | undefined = sent?.status_code;
console.log(ids, cursor, attempts, state, status, error?.message);
`;

/** Compiles a program against types generated from the committed description. */
async function compile(source: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'whirl-client-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const description = await readFile(here('../../../packages/server/openapi.json'), 'utf8');
  // What has a default may be left out of a request.
  const types = await openapiTypescript(description, { defaultNonNullable: false });
  await writeFile(join(folder, 'api.ts'), astToString(types));
  await writeFile(join(folder, 'main.ts'), source);
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  await symlink(here('../node_modules'), join(folder, 'node_modules'));
  const compiler = here('../node_modules/typescript-5.9/bin/tsc');
  const options = '--noEmit --strict --module nodenext --target es2022 --skipLibCheck';
  await run(folder, process.execPath, compiler, ...options.split(' '), 'main.ts');
}

describe('A19 a client that is generated from openapi.json', () => {
  it('A19 compiles', async () => {
    await compile(program("method: 'GET'"));
  });

  it('A19 does not compile with a method that the API does not know', async () => {
    await expect(compile(program("method: 'BREW'"))).rejects.toThrow(/TS2322.*"BREW"/s);
  });
});
