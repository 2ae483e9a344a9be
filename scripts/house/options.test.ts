import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { absolute, typescriptIn } from './files.ts';

const textOf = (path: string) => readFileSync(absolute(path), 'utf8');
const sources = typescriptIn('packages').filter((path) => /\/src\/(?!.*\.test\.ts$)/.test(path));

const folderOf = (path: string) => path.split('/src/')[0] as string;

/** By folder of a package that is published: the names of options that stand in its entries. */
const published = new Map(
  [...new Set(sources.map(folderOf))].flatMap((folder) => {
    const manifest = textOf(`${folder}/package.json`);
    if (manifest.includes('"private": true')) return [];
    const entries = manifest.matchAll(/"@whirl\/source": "\.\/(.+?)"/g);
    const text = Array.from(entries, ([, entry]) => textOf(`${folder}/${entry}`)).join('\n');
    return [[folder, new Set(text.match(/\b[A-Z]\w*(?:Options|Settings|Limits)\b/g))] as const];
  }),
);

interface Documented {
  readonly name: string;
  readonly comment: string;
  readonly isOptional: boolean;
}

/** Every published interface of options and, as `Name.option`, every member of one. */
const found = sources.flatMap((path): Documented[] => {
  const names = published.get(folderOf(path));
  const file = ts.createSourceFile(path, textOf(path), ts.ScriptTarget.Latest, true);
  const documented = (node: ts.Node, name: string, isOptional = false): Documented => {
    const range = ts.getLeadingCommentRanges(file.text, node.pos)?.at(-1);
    const comment = file.text.slice(range?.pos ?? 0, range?.end ?? 0);
    return { name, comment: comment.startsWith('/**') ? comment : '', isOptional };
  };
  return file.statements.flatMap((node) => {
    if (!ts.isInterfaceDeclaration(node) || names?.has(node.name.text) !== true) return [];
    const of = node.name.text;
    const members = node.members.map((member) =>
      documented(member, `${of}.${member.name?.getText()}`, member.questionToken !== undefined),
    );
    return [documented(node, of), ...members];
  });
});
const named = (list: readonly Documented[]) => list.map(({ name }) => name);

describe('the options that packages publish', () => {
  it('are found', () => {
    expect(found.length).toBeGreaterThan(300);
  });

  it('have a doc comment each, and so has the interface that they stand in', () => {
    expect(named(found.filter(({ comment }) => comment === ''))).toEqual([]);
  });

  it('say what they are by default, where they may be left out', () => {
    const silent = found.filter((each) => each.isOptional && !/\bdefault\b/i.test(each.comment));
    expect(named(silent)).toEqual([]);
  });
});
