import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { publint } from 'publint';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installed, packAll, run, tarballsFor, type Packed } from './packed.ts';
import { modules } from './uses.ts';

const [name = ''] = modules;
let folder: string;
let packed: Map<string, Packed>;
const project = () => join(folder, 'project');

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'whirl-server-'));
  packed = await packAll(folder);
  await installed(project(), tarballsFor(name, packed));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** Starts the server, asks for its parts, and ends it. */
const body = `
  const server = await startServer({
    proxies: ['127.0.0.1:9'], api: { port: 0 }, gateway: { port: 0 },
  });
  const get = async (path) => (await fetch(server.url + path)).text();
  const page = await get('/');
  const script = await get('/' + /src="\\.\\/(assets\\/[^"]+\\.js)"/.exec(page)[1]);
  console.log(JSON.parse(await get('/api/v1/status')).version);
  console.log(JSON.parse(await get('/openapi.json')).openapi, script.length > 50_000);
  console.log((await get('/docs/')).includes('swagger-ui'));
  await server.close();`.replaceAll('\\\\', '\\');

describe(`P1 ${name}`, () => {
  const prints = () => `${(packed.get(name) as Packed).manifest.version}\n3.1.0 true\ntrue\n`;

  it('installs from its tarball in an empty folder, with nothing that npm misses', async () => {
    const listed = await run(project(), 'npm', 'ls', '--all', '--json');
    expect(JSON.parse(listed)).not.toHaveProperty('problems');
  });

  it('works with import: API, page, document and gateway', async () => {
    await writeFile(join(project(), 'server.mjs'), `import { startServer } from '${name}';${body}`);
    expect(await run(project(), process.execPath, 'server.mjs')).toBe(prints());
  });

  it('works from CommonJS', async () => {
    const source = `void (async () => {
      const { startServer } = await import('${name}');${body}
    })();`;
    await writeFile(join(project(), 'server.cjs'), source);
    expect(await run(project(), process.execPath, 'server.cjs')).toBe(prints());
  });

  it('has no problem that publint or are-the-types-wrong can find, but for what an ES module is', async () => {
    const bytes = await readFile((packed.get(name) as Packed).tarball);
    const { buffer, byteOffset, byteLength } = bytes;
    const tarball = buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
    expect((await publint({ pack: { tarball } })).messages).toEqual([]);
    const checked = await checkPackage(createPackageFromTarballData(bytes));
    expect(checked.types).toMatchObject({ kind: 'included' });
    const problems = 'problems' in checked ? checked.problems : [];
    const unexpected = problems.filter((problem) => {
      const { kind } = problem;
      return (
        kind !== 'CJSResolvesToESM' &&
        !('resolutionKind' in problem && problem.resolutionKind === 'node10')
      );
    });
    expect(unexpected).toEqual([]);
  });

  it('carries its README, its licenses, its page, its document and its sources, and no test', async () => {
    const files = await readdir(join(project(), 'node_modules', name), { recursive: true });
    expect(files).toEqual(
      expect.arrayContaining([
        ...['README.md', 'LICENSE', 'openapi.json', 'dist/index.js', 'dist/index.d.ts'],
        ...['dist/dashboard/index.html', 'dist/dashboard/licenses.md', 'src/index.ts'],
      ]),
    );
    expect(files.filter((file) => /\.test\.|testing/.test(file))).toEqual([]);
  });

  it.each(['5.5', '5.9', '6.0', '7.0'])('has types for TypeScript %s', async (version) => {
    await run(
      project(),
      ...(['npm', 'install', '--no-audit', '--no-fund', '--prefer-offline'] as const),
      '@types/node@20',
    );
    const source = `
      import { ListenError, startServer, type ServerOptions } from '${name}';
      const options: ServerOptions = { api: { port: 0, token: 't' }, gateway: false };
      export const url: Promise<string | undefined> = startServer(options).then((s) => s.url);
      export const listener = (e: ListenError): 'api' | 'gateway' => e.listener;
      // @ts-expect-error an option that does not exist
      void startServer({ gatway: false });`;
    await writeFile(join(project(), 'typed.mts'), source);
    const compiler = fileURLToPath(
      new URL(`../node_modules/typescript-${version}/bin/tsc`, import.meta.url),
    );
    const flags =
      '--noEmit --strict --exactOptionalPropertyTypes --target es2022 --types node --module nodenext --skipLibCheck';
    const printed = await run(
      project(),
      process.execPath,
      compiler,
      ...flags.split(' '),
      'typed.mts',
    );
    expect(printed).toBe('');
  });
});
