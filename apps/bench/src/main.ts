// `npm run bench <name>` runs one suite, `npm run bench` says which there are.
import { readdirSync } from 'node:fs';

/** A suite is a folder beside this file whose `suite.ts` exports `run`. */
interface Suite {
  run(args: readonly string[]): Promise<void>;
}

const suites = readdirSync(new URL('.', import.meta.url), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name)
  .sort();
const [name, ...args] = process.argv.slice(2);

if (name === undefined || !suites.includes(name)) {
  console.error(`usage: npm run bench <suite>\nsuites: ${suites.join(', ') || 'none yet'}`);
  process.exitCode = 1;
} else {
  const suite = (await import(new URL(`./${name}/suite.ts`, import.meta.url).href)) as Suite;
  await suite.run(args);
}
