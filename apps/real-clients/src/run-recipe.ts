import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import type { Recipe } from './recipes.ts';

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where `import … from 'got'` finds it. */
const folder = fileURLToPath(new URL('..', import.meta.url));

/** Runs a recipe as a process of its own, until it ends by itself or has taken too long. */
export function run(
  { language, code }: Pick<Recipe, 'language' | 'code'>,
  environment: NodeJS.ProcessEnv,
  timeoutMs = 60_000,
): Promise<Ended> {
  const [program, ...args] = commandFor(language, code);
  return new Promise((resolve, reject) => {
    const child = spawn(program as string, args, {
      cwd: folder,
      env: environment,
      timeout: timeoutMs,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => (stdout += String(chunk)));
    child.stderr.on('data', (chunk) => (stderr += String(chunk)));
    child.on('error', reject).on('close', (status) => resolve({ code: status, stdout, stderr }));
  });
}

function commandFor(language: Recipe['language'], code: string): readonly string[] {
  if (language === 'sh') return ['sh', '-c', code];
  if (language === 'python') return ['python3', '-c', code];
  const { outputText } = ts.transpileModule(code, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
  });
  return [
    process.execPath,
    ...['--conditions=@whirl/source', '--import', 'tsx', '--input-type=module'],
    ...['--eval', outputText],
  ];
}
