import { mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

const root = join(import.meta.dirname, '..');

const consumer = `
import { createBus, type Bus, type WhirlBus, type WhirlEvents } from '@whirl/events';

const bus: WhirlBus = createBus<WhirlEvents>({ onListenerError: (error: unknown, type: string) => {} });
const off: () => void = bus.on('circuit:transition', ({ name, failureCount }) => {
  const text: string = name;
  const count: number = failureCount;
});
bus.on('*', (type, event) => void [type, event]);
const own: Bus<{ ready: number }> = createBus<{ ready: number }>();
own.emit('ready', 1);
// @ts-expect-error a number, not a text
own.emit('ready', '1');
// @ts-expect-error no such event
own.on('redy', () => {});
// @ts-expect-error no such field
bus.on('attempt:end', (event) => event.password);
export { off };
`;

/** Types as they are published: declarations under both names, with mitt not installed at all. */
describe('the published types', () => {
  let folder: string;
  let declarations = '';

  // Compilers are slow on a busy machine.
  vi.setConfig({ hookTimeout: 60_000, testTimeout: 60_000 });

  beforeAll(async () => {
    // Outside of the workspace, where the package's name would mean the workspace's own.
    folder = await realpath(await mkdtemp(join(tmpdir(), 'consumer-')));
    const installed = join(folder, 'node_modules', '@whirl', 'events');
    const dist = join(installed, 'dist');
    await mkdir(dist, { recursive: true });
    await writeFile(join(installed, 'package.json'), await readFile(join(root, 'package.json')));
    ts.createProgram([join(import.meta.dirname, 'index.ts')], {
      declaration: true,
      emitDeclarationOnly: true,
      rewriteRelativeImportExtensions: true,
      outDir: dist,
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.ESNext,
      moduleResolution: ts.ModuleResolutionKind.Bundler,
      strict: true,
      types: [],
      // The sources are checked by themselves; here only their declarations are wanted.
      noCheck: true,
    }).emit();
    for (const name of await readdir(dist)) {
      const text = await readFile(join(dist, name), 'utf8');
      if (name !== 'mitt.d.ts') declarations += text;
      await writeFile(
        join(dist, name.replace('.d.ts', '.d.cts')),
        text.replaceAll(/(from '\.\/[\w-]+)\.(?:ts|js)'/g, "$1.cjs'"),
      );
      await writeFile(join(dist, name), text.replaceAll(/(from '\.\/[\w-]+)\.ts'/g, "$1.js'"));
    }
    for (const name of ['consumer.mts', 'consumer.cts', 'consumer.ts']) {
      await writeFile(join(folder, name), consumer);
    }
  });
  afterAll(() => rm(folder, { recursive: true }));

  const node16 = { module: ts.ModuleKind.Node16, moduleResolution: ts.ModuleResolutionKind.Node16 };
  const nodenext = {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
  };
  const bundler = {
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
  };
  it.each([
    ['node16 as ESM', 'consumer.mts', node16],
    ['node16 as CJS', 'consumer.cts', node16],
    ['nodenext as ESM', 'consumer.mts', nodenext],
    ['nodenext as CJS', 'consumer.cts', nodenext],
    ['bundler', 'consumer.ts', bundler],
  ])('a consumer is typed under %s', (_, name, options) => {
    const program = ts.createProgram([join(folder, name)], {
      ...options,
      target: ts.ScriptTarget.ES2023,
      lib: ['lib.es2023.d.ts'],
      types: [],
      strict: true,
      noEmit: true,
      // The declarations themselves are checked too.
      skipLibCheck: false,
    });
    const errors = ts
      .getPreEmitDiagnostics(program)
      .map((each) => ts.flattenDiagnosticMessageText(each.messageText, '\n'));
    expect(errors).toEqual([]);
    const resolved = program.getSourceFiles().map((file) => file.fileName);
    expect(resolved.some((file) => file.startsWith(folder) && /index\.d\.c?ts$/.test(file))).toBe(
      true,
    );
    expect(resolved.filter((file) => file.includes('mitt'))).toEqual([]);
  });

  it('no declaration that is reached names mitt', () => {
    expect(declarations).toContain('createBus');
    expect(declarations).not.toMatch(/\bmitt\b/);
  });
});
