import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../../', import.meta.url));

export const inRepository = (file: string): string => path.join(root, file);
export const has = (file: string): boolean => existsSync(inRepository(file));
export const read = (file: string): string => readFileSync(inRepository(file), 'utf8');
