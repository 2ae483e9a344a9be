import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const skipped = new Set(['node_modules', 'dist']);

/** The paths of all TypeScript files in a folder of the repository. */
export function typescriptIn(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return skipped.has(entry.name) ? [] : typescriptIn(path);
    return entry.name.endsWith('.ts') ? [path] : [];
  });
}

export const absolute = (path: string): string => join(root, path);
