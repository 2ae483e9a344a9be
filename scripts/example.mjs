// Runs one example by its number, or all of them.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../apps/examples/src/', import.meta.url));
const files = readdirSync(folder)
  .filter((name) => /^\d+-.*\.ts$/.test(name) && !name.endsWith('.test.ts'))
  .sort();
const wanted = process.argv[2] ?? '';
const chosen =
  wanted === 'all' ? files : files.filter((name) => Number.parseInt(name) === Number(wanted));
if (chosen.length === 0) {
  console.error(`no example "${wanted}"; there are:\n${files.join('\n')}`);
  process.exit(1);
}
const failed = [];
for (const name of chosen) {
  console.log(`\n# ${name}`);
  const { status } = spawnSync(
    process.execPath,
    ['--conditions=@whirl/source', '--import', 'tsx', folder + name],
    { stdio: 'inherit' },
  );
  if (status !== 0) failed.push(name);
}
if (chosen.length > 1) {
  console.log(`\n${chosen.length - failed.length} of ${chosen.length} examples ended well`);
}
if (failed.length > 0) {
  console.error(`failed: ${failed.join(', ')}`);
  process.exitCode = 1;
}
