import { has, read } from '../repository.ts';
import type { Generated } from '../navigation.ts';
import { command } from './command.ts';
import { Declarations } from './declarations.ts';
import { errors } from './errors.ts';
import { events } from './events.ts';
import { metrics } from './metrics.ts';
import { options } from './options.ts';
import { rest } from './rest.ts';

/** In the order in which a reader may want them; those that are private or missing are left out. */
const packages = [
  'rotator',
  'gateway',
  'fleet',
  'server',
  'circuit-breaker',
  'backoff',
  'selector',
  'metrics',
  'events',
].filter((name) => {
  const file = `packages/${name}/package.json`;
  return has(file) && (JSON.parse(read(file)) as { private?: boolean }).private !== true;
});

/** The pages that are made from the code: each of them, as Markdown. */
export function reference(): Readonly<Record<Generated, string>> {
  const declarations = new Declarations(packages);
  return {
    options: options(declarations),
    errors: errors(declarations),
    events: events(declarations),
    metrics: metrics(),
    rest: rest('packages/server/openapi.json'),
    command: command(),
  };
}
