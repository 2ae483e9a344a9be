import { createPackageFromTarballData, checkPackage } from '@arethetypeswrong/core';
import { build } from 'esbuild';
import { access, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { publint } from 'publint';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installed, packAll, run, tarballsFor, type Packed } from './packed.ts';
import { commands, modules, uses } from './uses.ts';

let folder: string;
let packed: Map<string, Packed>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'whirl-packaging-'));
  packed = await packAll(folder);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

it('P1 every public package has a consumer here', () => {
  expect([...packed.keys()].sort()).toEqual([...commands, ...modules, ...Object.keys(uses)].sort());
});

describe.each(Object.entries(uses))('P1 %s', (name, use) => {
  const project = () => join(folder, name.replace('/', '-'));

  it('installs alone, from its tarball and those of its @whirl dependencies', async () => {
    await installed(project(), tarballsFor(name, packed));
    for (const other of use.without) {
      await expect(access(join(project(), 'node_modules', other)), other).rejects.toThrow('ENOENT');
    }
  });

  it('works with import', async () => {
    const source = `import { ${use.names} } from '${name}';${use.body}`;
    await writeFile(join(project(), 'consumer.mjs'), source);
    expect(await run(project(), process.execPath, 'consumer.mjs')).toBe(use.prints);
  });

  it('works with require', async () => {
    const source = `const { ${use.names} } = require('${name}');${use.body}`;
    await writeFile(join(project(), 'consumer.cjs'), source);
    expect(await run(project(), process.execPath, 'consumer.cjs')).toBe(use.prints);
  });

  it('an import that is not used shakes to nothing', async () => {
    const { outputFiles } = await build({
      stdin: { contents: `import * as all from '${name}';`, resolveDir: project() },
      bundle: true,
      write: false,
      minify: true,
      format: 'esm',
      platform: 'node',
    });
    expect(outputFiles[0]?.text.trim()).toBe('');
  });

  it('has no problem that publint or are-the-types-wrong can find', async () => {
    const { tarball } = packed.get(name) as Packed;
    const bytes = await readFile(tarball);
    const { messages } = await publint({
      pack: {
        tarball: bytes.buffer.slice(
          bytes.byteOffset,
          bytes.byteOffset + bytes.byteLength,
        ) as ArrayBuffer,
      },
    });
    expect(messages).toEqual([]);
    const checked = await checkPackage(createPackageFromTarballData(bytes));
    expect(checked.types).toMatchObject({ kind: 'included' });
    // Node before 12.7 and TypeScript's `node10` know no subpaths; neither is supported.
    const problems = 'problems' in checked ? checked.problems : [];
    expect(
      problems.filter(
        (problem) => !('resolutionKind' in problem && problem.resolutionKind === 'node10'),
      ),
    ).toEqual([]);
  });

  it('carries its README, its license and its sources, and no test', async () => {
    const files = await readdir(join(project(), 'node_modules', name), { recursive: true });
    expect(files).toEqual(
      expect.arrayContaining([
        'README.md',
        'LICENSE',
        'dist/index.js',
        'dist/index.cjs',
        'src/index.ts',
      ]),
    );
    expect(files.filter((file) => file.includes('.test.'))).toEqual([]);
  });
});

describe('P1 the subpaths of @whirl/metrics', () => {
  const project = () => join(folder, '@whirl-metrics');
  const text = `{ length: renderPrometheus(new RetryMetrics()).split('\\n').length }`;

  it.each([
    ['import', 'mjs', "import { RetryMetrics } from '@whirl/metrics';\nimport"],
    ['require', 'cjs', "const { RetryMetrics } = require('@whirl/metrics');\nconst"],
  ])('/prometheus needs nothing else, with %s', async (kind, extension, head) => {
    const from =
      kind === 'import'
        ? "from '@whirl/metrics/prometheus'"
        : "= require('@whirl/metrics/prometheus')";
    const source = `${head} { renderPrometheus } ${from};\nconsole.log(${text}.length > 10);`;
    await writeFile(join(project(), `prometheus.${extension}`), source);
    expect(await run(project(), process.execPath, `prometheus.${extension}`)).toBe('true\n');
  });

  it('/prom-client and /opentelemetry work once their peers are installed', async () => {
    await run(
      project(),
      'npm',
      'install',
      '--no-audit',
      '--no-fund',
      'prom-client@15',
      '@opentelemetry/api@1',
    );
    for (const [name, exported] of [
      ['prom-client', 'registerRetryMetrics'],
      ['opentelemetry', 'observeRetryMetrics'],
    ]) {
      const body = `console.log(typeof each.${exported});`;
      await writeFile(
        join(project(), 'peer.mjs'),
        `import * as each from '@whirl/metrics/${name}';${body}`,
      );
      await writeFile(
        join(project(), 'peer.cjs'),
        `const each = require('@whirl/metrics/${name}');${body}`,
      );
      for (const file of ['peer.mjs', 'peer.cjs']) {
        expect(await run(project(), process.execPath, file), `${name} ${file}`).toBe('function\n');
      }
    }
  });
});

describe('P1 the subpaths of @whirl/fleet', () => {
  const subpaths = [
    ['redis', 'fromIoredis,fromNodeRedis,redisStore'],
    ['file', 'warmStart'],
    ['prometheus', 'renderFleetPrometheus'],
  ] as const;
  const kinds = [
    ['import', 'mjs', (name: string) => `import * as all from '@whirl/fleet/${name}';`],
    ['require', 'cjs', (name: string) => `const all = require('@whirl/fleet/${name}');`],
  ] as const;
  it.each(subpaths.flatMap((subpath) => kinds.map((kind) => [...subpath, ...kind] as const)))(
    '/%s has %s and needs nothing else, with %s',
    async (name, exported, _kind, extension, head) => {
      const project = join(folder, '@whirl-fleet');
      const source = `${head(name)}\nconsole.log(Object.keys(all).sort().join());`;
      await writeFile(join(project, `${name}.${extension}`), source);
      const printed = await run(project, process.execPath, `${name}.${extension}`);
      expect(printed).toBe(`${exported}\n`);
    },
  );
});

describe('P1 the types of all packages together', () => {
  const project = () => join(folder, 'typed');
  const compiler = (version: string) =>
    fileURLToPath(new URL(`../node_modules/typescript-${version}/bin/tsc`, import.meta.url));

  beforeAll(async () => {
    await installed(
      project(),
      [...packed.values()].map(({ tarball }) => tarball),
    );
    await run(
      project(),
      'npm',
      'install',
      '--no-audit',
      '--no-fund',
      '--prefer-offline',
      '@types/node@20',
    );
    const uniform = Object.entries(uses)
      .map(([name, { names }]) => `import { ${names} } from '${name}';\nvoid [${names}];`)
      .join('\n');
    const typed = `${uniform}
      import { renderPrometheus } from '@whirl/metrics/prometheus';
      export const text: string = renderPrometheus(new RetryMetrics());
      const breaker = new CircuitBreaker({ name: 'db' });
      export const row: Promise<string> = breaker.execute(async () => 'a row');
      export const delay: number = exponential({ baseMs: 100 }).delay(1);
      export const status: Promise<number> = new ProxyRotator().get('http://127.0.0.1/').then((r) => r.statusCode);
      // @ts-expect-error an option that does not exist
      new CircuitBreaker({ nme: 'db' });
      export const found: Promise<{ status: number }> = breaker.execute(
        async ({ signal }) => ({ status: signal.aborted ? 0 : 200 }),
        { timeoutMs: 1000, isResultFailure: (r) => r.status >= 500, isFailure: () => 'ignore' },
      );
      export const again: Promise<{ status: number }> = retry(() => found, {
        shouldRetryResult: (r) => r.status === 503,
        maxAttempts: Infinity,
      });
      breaker.on('circuit:transition', ({ to }) => to.toUpperCase());
      interface Jobs { queued: { id: number }; idle: undefined; }
      const jobs = createBus<Jobs>();
      jobs.on('*', (type, event) => { if (type === 'queued') event.id.toFixed(); });
      jobs.on('*', (type) => type.toUpperCase());
      jobs.emit('idle');
      // @ts-expect-error a payload is missing
      jobs.emit('queued');
      createBus<{ hello: string }>().on('hello', (event) => event.toUpperCase());`;
    await writeFile(join(project(), 'module.mts'), typed);
    await writeFile(join(project(), 'script.cts'), typed);
  });

  const modes = [
    ['node16', 'node16'],
    ['nodenext', 'nodenext'],
    ['bundler', 'esnext'],
  ] as const;
  const versions = ['5.5', '5.9', '6.0', '7.0'];
  it.each(versions.flatMap((version) => modes.map((mode) => [version, ...mode] as const)))(
    'check under TypeScript %s and moduleResolution %s',
    async (version, moduleResolution, module) => {
      const files = moduleResolution === 'bundler' ? ['module.mts'] : ['module.mts', 'script.cts'];
      const output = await run(
        project(),
        process.execPath,
        compiler(version),
        '--noEmit',
        '--strict',
        '--exactOptionalPropertyTypes',
        '--target',
        'es2022',
        '--types',
        'node',
        '--module',
        module,
        '--moduleResolution',
        moduleResolution,
        ...files,
      );
      expect(output).toBe('');
    },
  );
});
