import { fileURLToPath } from 'node:url';
import { stage } from './stage.ts';

/** Writes the pages of the site to `.pages`, from which `vitepress build` makes it. */
stage(fileURLToPath(new URL('../.pages', import.meta.url)));
