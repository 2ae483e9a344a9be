import { families } from '../../../../packages/metrics/src/exporters/metric-families.ts';
import { beforeAll, describe, expect, it } from 'vitest';
import { read } from '../repository.ts';
import { reference } from './reference.ts';

/** Made once: the types of all packages are read for it. */
let pages: ReturnType<typeof reference>;
beforeAll(() => {
  pages = reference();
}, 120_000);

const section = (page: string, heading: string) => {
  const [, rest = ''] = page.split(`${heading} {#`);
  return rest.split(/^#{2,4} /m)[0] ?? '';
};

describe('P3 the reference is made from the code', () => {
  it('an option has its type, its bounds and its default from the doc comment', () => {
    const text = section(pages.options, '#### `maxLiveProxies`');
    expect(text).toContain('`number`');
    expect(text).toMatch(/≥ 1, default 1,000/);
  });

  it('every field of the retry policy is an option', () => {
    const policy = section(pages.options, '### RetryPolicyOptions');
    expect(policy).toContain('When and how a request is tried again.');
    expect(pages.options).toContain('{#rotator-retrypolicyoptions-failoverdelay}');
  });

  it('an error has its code, its class and its fields', () => {
    expect(pages.errors).toContain(
      '| `NO_PROXIES` | [AllProxiesUnavailableError](#rotator-allproxiesunavailableerror) | @whirl/rotator |',
    );
    expect(section(pages.errors, '## AllProxiesUnavailableError')).toContain('`retryAfterMs`');
  });

  it('every event of the vocabulary is there, with its fields', () => {
    const names = Array.from(
      read('packages/events/src/vocabulary.ts').matchAll(/^ {2}'([a-z]+:[a-z]+)': \w+;$/gm),
      ([, name]) => name,
    );
    expect(names.length).toBeGreaterThan(20);
    for (const name of names) expect(pages.events).toContain(`## ${name} {#`);
    expect(section(pages.events, '## retry:scheduled')).toContain('`delayMs`');
  });

  it('words are in the order in which they are declared', () => {
    expect(pages.events).toContain(
      '`select` `dns` `tcp` `tls_proxy` `socks` `connect` `tls_target` `headers` `body`',
    );
  });

  it('every series that is exported is there', () => {
    for (const { name } of families) expect(pages.metrics).toContain(`\`${name}\``);
  });

  it('every operation of the OpenAPI document is there', () => {
    const { paths } = JSON.parse(read('packages/server/openapi.json')) as {
      paths: Record<string, Record<string, unknown>>;
    };
    for (const [path, item] of Object.entries(paths)) {
      for (const method of Object.keys(item)) {
        expect(pages.rest).toContain(`### ${method.toUpperCase()} ${path} {#`);
      }
    }
  });

  it('every command has its help', () => {
    for (const name of ['check', 'get', 'bench']) {
      expect(pages.command).toContain(`## whirl ${name}\n`);
      expect(pages.command).toContain(`Usage: whirl ${name}`);
    }
  });
});
