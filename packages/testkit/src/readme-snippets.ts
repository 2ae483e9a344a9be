import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import ts from 'typescript';

/** One fenced `ts` or `js` block of a Markdown file. */
export interface Snippet {
  /** The line of the file on which its code begins, from 1. */
  readonly line: number;
  readonly language: 'ts' | 'js';
  /** False when the fence says `no-run`: it is then only type-checked. */
  readonly runs: boolean;
  readonly code: string;
}

/** A snippet that was run, and what it printed. */
export interface SnippetRun extends Snippet {
  /** What it wrote to stdout and stderr together, without the last line break; '' for `no-run`. */
  readonly output: string;
}

/** Finds the fenced blocks marked `ts`, `typescript`, `js` or `javascript`. */
export function extractSnippets(markdown: string): readonly Snippet[] {
  const snippets: Snippet[] = [];
  let open: { fence: string; language: string; runs: boolean; line: number } | undefined;
  let code: string[] = [];
  for (const [index, text] of markdown.split('\n').entries()) {
    if (open === undefined) {
      const fence = /^(`{3,})(\w*)(.*)$/.exec(text);
      if (fence === null) continue;
      const [, ticks = '', language = '', info = ''] = fence;
      open = { fence: ticks, language, runs: !/\bno-run\b/.test(info), line: index + 2 };
      code = [];
    } else if (text === open.fence) {
      const language = /^(ts|js)|^(type|java)script$/.exec(open.language);
      if (language !== null) {
        snippets.push({
          line: open.line,
          language: language[0].startsWith('t') ? 'ts' : 'js',
          runs: open.runs,
          code: code.join('\n'),
        });
      }
      open = undefined;
    } else {
      code.push(text);
    }
  }
  return snippets;
}

/**
 * Type-checks and runs every `ts` and `js` block of a package's README, each as a program of its own
 * in the package's folder, so that `import … from '@whirl/…'` means the sources. Gives what each of
 * them printed, in order. Throws, naming file and line, when one does not compile, fails, or has not
 * ended by itself after 30 s, and when there is no block at all.
 *
 * A fence of ` ```ts no-run ` is only type-checked: for what cannot run on loopback.
 */
export async function runSnippets(readme: URL): Promise<readonly SnippetRun[]> {
  const path = fileURLToPath(readme);
  const snippets = extractSnippets(await readFile(path, 'utf8'));
  if (snippets.length === 0) throw new Error(`${path} holds no ts or js block`);
  typeCheck(path, snippets);
  const runs: SnippetRun[] = [];
  for (const snippet of snippets) {
    runs.push({ ...snippet, output: snippet.runs ? await run(path, snippet) : '' });
  }
  return runs;
}

/** The options under which the sources themselves are checked: see tsconfig.base.json. */
const compilerOptions: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  lib: ['lib.es2023.d.ts'],
  types: ['node'],
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  moduleDetection: ts.ModuleDetectionKind.Force,
  customConditions: ['@whirl/source'],
  allowImportingTsExtensions: true,
  noEmit: true,
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: true,
};

/** What the snippets import, parsed once: many pages import the same. */
const parsed = new Map<string, ts.SourceFile | undefined>();

function parseOnce(host: ts.CompilerHost, name: string, version: ts.ScriptTarget) {
  if (!parsed.has(name)) parsed.set(name, host.getSourceFile(name, version));
  return parsed.get(name);
}

/** Checks the `ts` blocks as files that exist in memory only, beside `path`. Throws, naming the lines. */
export function typeCheck(
  path: string,
  snippets: readonly Pick<Snippet, 'line' | 'language' | 'code'>[],
): void {
  const files = new Map<string, Pick<Snippet, 'line' | 'code'>>();
  for (const snippet of snippets) {
    if (snippet.language === 'ts') files.set(`${path}.line-${snippet.line}.ts`, snippet);
  }
  const disk = ts.createCompilerHost(compilerOptions);
  const host: ts.CompilerHost = {
    ...disk,
    getCurrentDirectory: () => dirname(path),
    fileExists: (name) => files.has(name) || disk.fileExists(name),
    readFile: (name) => files.get(name)?.code ?? disk.readFile(name),
    getSourceFile(name) {
      const snippet = files.get(name);
      return snippet === undefined
        ? parseOnce(disk, name, ts.ScriptTarget.ES2023)
        : ts.createSourceFile(name, snippet.code, ts.ScriptTarget.ES2023);
    },
  };
  const program = ts.createProgram([...files.keys()], compilerOptions, host);
  const errors: string[] = [];
  for (const [name, snippet] of files) {
    const file = program.getSourceFile(name);
    for (const each of ts.getPreEmitDiagnostics(program, file)) {
      const line = file?.getLineAndCharacterOfPosition(each.start ?? 0).line ?? 0;
      const message = ts.flattenDiagnosticMessageText(each.messageText, ' ');
      errors.push(`${path}:${snippet.line + line}: ${message}`);
    }
  }
  if (errors.length > 0) throw new Error(`snippets do not compile\n${errors.join('\n')}`);
}

const execute = promisify(execFile);

async function run(path: string, snippet: Snippet): Promise<string> {
  const { outputText } = ts.transpileModule(snippet.code, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
  });
  try {
    const { stdout, stderr } = await execute(
      process.execPath,
      [
        '--conditions=@whirl/source',
        '--import',
        'tsx',
        '--input-type=module',
        '--eval',
        outputText,
      ],
      { cwd: dirname(path), timeout: 30_000, env: { ...process.env, NODE_OPTIONS: '' } },
    );
    return (stdout + stderr).trimEnd();
  } catch (error) {
    const { killed, code, stderr } = error as { killed: boolean; code: unknown; stderr: string };
    const how = killed ? 'has not ended after 30 s' : `exited with ${String(code)}`;
    throw new Error(`${path}:${snippet.line}: the snippet ${how}\n${stderr}`, {
      cause: error,
    });
  }
}
