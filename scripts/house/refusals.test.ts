import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { absolute } from './files.ts';
import { events } from './refusals/events.ts';
import { backoff } from './refusals/backoff.ts';
import { circuitBreaker } from './refusals/circuit-breaker.ts';
import { selector } from './refusals/selector.ts';
import { metricsCases } from './refusals/metrics.ts';
import { rotatorCases } from './refusals/rotator.ts';
import { gateway } from './refusals/gateway.ts';
import { fleet } from './refusals/fleet.ts';
import { server } from './refusals/server.ts';
import { secret, type Refusing } from './refusals/refusing.ts';

/** A value as it is shown: a harmless one itself, any other by what it is. */
const shown =
  /^("[^":@]*"|-?[\d.]+(e\+\d+)?|NaN|-?Infinity|null|undefined|true|false|(an? )?(string|number|object|function|array|boolean)( of \d+ characters)?)$/;
const unknownOption =
  /^unknown option "([^"]*)"(: did you mean "\w+"\?|; known are [\w, ]+|: if another program wrote the list, name the format "records")?$/;

/** What the call is refused with; undefined when it is not. */
async function refusal(call: () => unknown): Promise<unknown> {
  try {
    await call();
  } catch (error) {
    return error;
  }
  return undefined;
}

/** What a message says: an error of a policy lists its fields. */
function sentenceOf(error: Error): string {
  return error.message.replace(/^invalid retry policy: (\w+): must/, 'retryPolicy.$1 must');
}

function asked({ give, besides }: Refusing, options: object): Promise<unknown> {
  return refusal(() => give({ ...besides, ...options } as never));
}

const escaped = (path: string) => path.replace(/[[\]$]/g, '\\$&');

/** What does not follow the one form, for a value that has to be refused. */
async function faultOf(
  where: Refusing,
  name: string,
  value: unknown,
  kind: 'types' | 'bounds',
): Promise<string | undefined> {
  const error = await asked(where, { [name]: value });
  const told = `${where.name}.${name} = ${JSON.stringify(value) ?? String(value)}`;
  if (!(error instanceof Error)) return `${told}: accepted`;
  const Wanted = where.error ?? (kind === 'types' ? TypeError : RangeError);
  const { name: kindOf, message } = error;
  if (!(error instanceof Wanted)) return `${told}: a ${kindOf}: ${message}`;
  const [, path = '', got = ''] = / must /.test(sentenceOf(error))
    ? (/^(.+?) must be .+, got (.+)$/s.exec(sentenceOf(error)) ?? [])
    : [];
  const own = where.options[name]?.path;
  const prefix =
    where.path === '' || where.error?.name === 'InvalidProxyError' ? '' : `${where.path}.`;
  const wanted = own ?? escaped(prefix + name);
  if (!new RegExp(`^${wanted}$`).test(path) || !shown.test(got)) return `${told}: ${error.message}`;
  return /hunter2/.test(`${error.message} ${error.stack}`)
    ? `${told}: shows the secret`
    : undefined;
}

/** By package, so that its public types can be held against it. */
const packages: [name: string, cases: readonly Refusing[]][] = Object.entries({
  events,
  backoff,
  'circuit-breaker': circuitBreaker,
  selector,
  metrics: metricsCases,
  rotator: rotatorCases,
  gateway,
  fleet,
  server,
});

describe.each(packages)('the options of %s', (_package, cases) => {
  it.each(
    cases.map(
      (where) =>
        [where.path === '' ? where.name : `${where.name} at ${where.path}`, where] as const,
    ),
  )('%s are refused in one form, with path and value, and show no secret', async (_name, where) => {
    const faults: (string | undefined)[] = [];
    for (const [name, { types, bounds = [] }] of Object.entries(where.options)) {
      for (const value of types) faults.push(await faultOf(where, name, value, 'types'));
      for (const value of bounds) faults.push(await faultOf(where, name, value, 'bounds'));
    }
    expect(faults.filter((fault) => fault !== undefined)).toEqual([]);
  });

  it.each(
    cases
      .filter(({ open, error }) => open !== true && error?.name !== 'InvalidPolicyError')
      .map((where) => [where.name, where] as const),
  )('an unknown name among %s is refused with its path', async (_name, where) => {
    const error = await asked(where, { zzzzzz: secret });
    expect(error).toBeInstanceOf(where.error ?? TypeError);
    const { message } = error as Error;
    const [, path] = unknownOption.exec(message) ?? [];
    expect(path, message).toBe(where.path === '' ? 'zzzzzz' : `${where.path}.zzzzzz`);
    expect(message).not.toContain('hunter2');
  });
});

/** Packages whose bundles are bounded look for no nearest name. */
const brief = new Set(['events', 'backoff', 'circuit-breaker', 'fleet']);

describe.each(packages.filter(([name]) => !brief.has(name)))('a slip in %s', (_package, cases) => {
  it.each(
    cases
      .filter(({ error }) => error?.name !== 'InvalidPolicyError')
      .map((where) => [where.name, where] as const),
  )('of %s is told the name that is meant', async (_name, where) => {
    const [known = ''] = Object.keys(where.options).filter((each) => each.length > 3);
    const slip = `${known.slice(0, -2)}${known.at(-1)}${known.at(-2)}`;
    const error = await asked(where, { [slip]: 1 });
    expect((error as Error).message).toContain(`: did you mean "${known}"?`);
  });
});

/** Types that end like options and are no options that a caller gives. */
const others = new Set([
  'JitterOptions',
  'GroupedBreakerOptions',
  'TripRule',
  'ParseProxyOptions',
  'ExitOptions',
  'ProviderOptions',
  'FetchOptions',
  'ForwardOptions',
  'SourceOptions',
  'PageOptions',
  'SeriesOptions',
  'LogOutputOptions',
  'ListSettings',
]);

it.each(packages)('every type of options that %s exports is in the table', (name, cases) => {
  const entries = [
    'index',
    'redis',
    'file',
    'prometheus',
    'exporters/prometheus',
    'exporters/prom-client',
    'exporters/opentelemetry',
  ];
  const text = entries
    .map((entry) => absolute(`packages/${name}/src/${entry}.ts`))
    .filter((path) => existsSync(path))
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n');
  const exported = new Set(
    Array.from(text.matchAll(/\b([A-Z]\w*(?:Options|Settings|Limits|Rule))\b/g), ([type]) => type),
  );
  const covered = new Set(cases.map((where) => where.name));
  expect([...exported].filter((type) => !covered.has(type) && !others.has(type))).toEqual([]);
});
