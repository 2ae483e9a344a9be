import { readFileSync } from 'node:fs';

/** One fenced block of docs/clients.md that is a program. */
export interface Recipe {
  /** The heading above it, with its number where there are several. */
  readonly name: string;
  readonly language: 'sh' | 'python' | 'ts';
  /** The line of the page on which its own code begins, from 1. */
  readonly line: number;
  readonly code: string;
}

const page = new URL('../../../docs/clients.md', import.meta.url);

const blocks = /^### (.+)$|^```(sh|python|ts)\n([^]*?)\n```$/gm;
/** How the lines begin with which recipes for agents begin. */
const beginning = "import { ProxyRotator } from '@whirl/rotator';";

/** Every recipe of the page, complete: those for agents with the lines that the page gives for all of them. */
export function readRecipes(): readonly Recipe[] {
  const text = readFileSync(page, 'utf8');
  const recipes: Recipe[] = [];
  let heading = '';
  let common: string | undefined;
  for (const { index, 1: title, 2: language, 3: code = '' } of text.matchAll(blocks)) {
    if (title !== undefined) heading = title;
    else if (code.startsWith(beginning)) common = code;
    else {
      const nth = recipes.filter(({ name }) => name.split(' #')[0] === heading).length + 1;
      recipes.push({
        name: nth === 1 ? heading : `${heading} #${nth}`,
        language: language as Recipe['language'],
        line: text.slice(0, index).split('\n').length + 1,
        code: code.includes('agents') && common !== undefined ? `${common}\n${code}` : code,
      });
    }
  }
  return recipes;
}
