import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const main = fileURLToPath(new URL('../main.ts', import.meta.url));
const execArgv = ['--expose-gc', '--conditions=@whirl/source', '--import', 'tsx'];

it('a slice of the soak adds up, holds nothing at its end, and ends by itself', async () => {
  const args = [...execArgv, main, 'soak', '--minutes', '0.33', '--processes', '1'];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  expect(stdout).toMatch(/^requests: begun = ended = in the metrics +[1-9]\d* +yes$/m);
  expect(stdout).toMatch(/^attempts: begun = ended = metrics = Σ proxies = Σ requests +\d+ +yes$/m);
  expect(stdout).toMatch(/^sockets at the end +0 +yes$/m);
  expect(stdout).toMatch(/^ends by itself +exit code 0 +yes$/m);
  expect(stdout).not.toMatch(/ NO$/m);
});
