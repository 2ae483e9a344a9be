import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { extractSnippets, runSnippets } from './readme-snippets.ts';

const fence = '```';

describe('extractSnippets', () => {
  it('finds ts and js blocks with the line on which their code begins', () => {
    const markdown = `# A\n${fence}ts\nlet a = 1;\n\na++;\n${fence}\n${fence}sh\nls\n${fence}\n${fence}js no-run\nb\n${fence}\n`;
    expect(extractSnippets(markdown)).toEqual([
      { line: 3, language: 'ts', runs: true, code: 'let a = 1;\n\na++;' },
      { line: 11, language: 'js', runs: false, code: 'b' },
    ]);
  });

  it('leaves what is inside a longer fence alone', () => {
    expect(extractSnippets(`${fence}\`md\n${fence}ts\na\n${fence}\n${fence}\`\n`)).toEqual([]);
  });
});

describe('runSnippets', () => {
  // Beside the sources, so that packages resolve as they do for a README.
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(import.meta.dirname, '.snippets-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const runs = async (markdown: string) => {
    const path = join(folder, 'README.md');
    await writeFile(path, markdown);
    return runSnippets(pathToFileURL(path));
  };

  it('gives what each printed, with packages resolved to their sources', async () => {
    const markdown = [
      `${fence}ts`,
      `import { seededRandom } from '@whirl/testkit';`,
      `const first: number = seededRandom(1)();`,
      `console.log(await Promise.resolve(first < 1));`,
      fence,
      `${fence}js`,
      `console.log(1);`,
      `console.error(2);`,
      fence,
      `${fence}ts no-run`,
      `throw new Error('never runs');`,
      fence,
    ].join('\n');
    expect((await runs(markdown)).map(({ output }) => output)).toEqual(['true', '1\n2', '']);
  });

  it('refuses a snippet that fails, with the line on which it begins', async () => {
    const markdown = `${fence}ts\nthrow new Error('boom');\n${fence}\n`;
    await expect(runs(markdown)).rejects.toThrow(/README\.md:2: the snippet exited with 1[^]*boom/);
  });

  it('refuses a snippet that does not compile, with its line', async () => {
    const markdown = `\n${fence}ts\nconst a: string = 'a';\nconst b: number = a;\n${fence}\n`;
    await expect(runs(markdown)).rejects.toThrow(/README\.md:4: .*'string' is not assignable/);
  });

  it('refuses a file without any snippet', async () => {
    await expect(runs('# nothing\n')).rejects.toThrow(/no ts or js block/);
  });
});
