import { execFile } from 'node:child_process';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const root = fileURLToPath(new URL('../../../', import.meta.url));

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** A public package as it would be published. */
export interface Packed {
  readonly name: string;
  readonly folder: string;
  readonly tarball: string;
  readonly manifest: Manifest;
}

/** Runs a program and gives its output; rejects with the output when it fails. */
export async function run(cwd: string, program: string, ...args: string[]): Promise<string> {
  try {
    const { stdout } = await execute(program, args, { cwd, maxBuffer: 64e6 });
    return stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${program} ${args.join(' ')} failed:\n${stdout}${stderr}`, { cause: error });
  }
}

/** Packs every public package into a folder. They must have been built. */
export async function packAll(into: string): Promise<Map<string, Packed>> {
  const packed = new Map<string, Packed>();
  for (const entry of await readdir(join(root, 'packages'))) {
    const folder = join(root, 'packages', entry);
    const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Manifest;
    if (manifest.private === true) continue;
    await run(
      folder,
      process.execPath,
      join(root, 'scripts/pnpm.mjs'),
      'pack',
      '--pack-destination',
      into,
    );
    const tarball = join(into, `whirl-${entry}-${manifest.version}.tgz`);
    packed.set(manifest.name, { name: manifest.name, folder, tarball, manifest });
  }
  return packed;
}

/** The tarballs that a package needs: its own, and those of its @whirl dependencies. */
export function tarballsFor(name: string, packed: ReadonlyMap<string, Packed>): string[] {
  const wanted = new Set<string>();
  const visit = (each: string) => {
    const found = packed.get(each);
    if (found === undefined || wanted.has(found.tarball)) return;
    wanted.add(found.tarball);
    Object.keys(found.manifest.dependencies ?? {}).forEach(visit);
  };
  visit(name);
  return [...wanted];
}

/** An empty project with nothing but these tarballs installed. */
export async function installed(folder: string, tarballs: readonly string[]): Promise<string> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), '{ "name": "consumer", "private": true }\n');
  await run(folder, 'npm', 'install', '--no-audit', '--no-fund', '--prefer-offline', ...tarballs);
  return folder;
}
