import { has } from './repository.ts';

/** A page of the site: where its source stands, and its address. */
export interface SitePage {
  readonly text: string;
  /** The Markdown file in the repository, or the name of a generated page. */
  readonly source: string;
  /** The path on the site, without a leading slash and without an extension. */
  readonly path: string;
}

export interface Section {
  readonly text: string;
  readonly pages: readonly SitePage[];
}

/** The names of the pages that are made from the code while the site is built. */
export const generated = ['options', 'errors', 'events', 'metrics', 'rest', 'command'] as const;
export type Generated = (typeof generated)[number];

const page = (text: string, source: string, path: string): SitePage => ({ text, source, path });
const doc = (text: string, name: string) => page(text, `docs/${name}.md`, name);
const guide = (text: string, name: string) => doc(text, `guides/${name}`);
const packaged = (name: string) =>
  page(`@whirl/${name}`, `packages/${name}/README.md`, `packages/${name}`);
const reference = (text: string, name: Generated) =>
  page(text, `generated:${name}`, `reference/${name}`);

/** Everything that the site may show, in the order of its navigation. */
const sections: readonly Section[] = [
  {
    text: 'Start',
    pages: [doc('Start in one minute', 'start'), doc('All guides', 'guide')],
  },
  {
    text: 'Guides',
    pages: [
      guide('fetch and undici', 'fetch'),
      guide('Agents and tunnels', 'agents'),
      guide('POST, uploads and bodies', 'bodies'),
      page('The gateway', 'packages/gateway/README.md', 'packages/gateway'),
      guide('Playwright and browsers', 'playwright'),
      doc('Clients, one by one', 'clients'),
      doc('Your list', 'lists'),
      guide('Sessions, regions, tags', 'sessions-and-regions'),
      guide('Bans', 'bans'),
      guide('Provider gateways', 'providers'),
      doc('Exits', 'exits'),
      guide('Retries', 'retries'),
      guide('Circuits', 'circuits'),
      guide('Monitoring', 'monitoring'),
      guide('Many processes', 'fleets'),
      doc('The command line', 'command-line'),
      page('The server', 'packages/server/README.md', 'packages/server'),
      page('The demo, the container', 'apps/api/README.md', 'demo'),
      guide('Behind nginx or Caddy', 'server'),
      doc('Composing', 'composing'),
      page('Examples', 'apps/examples/README.md', 'examples'),
      guide('Troubleshooting', 'troubleshooting'),
    ],
  },
  {
    text: 'Reference',
    pages: [
      reference('Options', 'options'),
      reference('Errors', 'errors'),
      reference('Events', 'events'),
      reference('Metrics', 'metrics'),
      reference('REST', 'rest'),
      reference('Command', 'command'),
    ],
  },
  {
    text: 'Packages',
    pages: [
      packaged('rotator'),
      packaged('cli'),
      packaged('fleet'),
      packaged('circuit-breaker'),
      packaged('backoff'),
      packaged('selector'),
      packaged('metrics'),
      packaged('events'),
    ],
  },
  {
    text: 'Migrating',
    pages: [
      doc('From ProxyAgent', 'migrating/proxy-agent'),
      doc('From crawlee', 'migrating/crawlee'),
      doc('From p-retry', 'migrating/p-retry'),
      doc('From cockatiel', 'migrating/cockatiel'),
      doc('From opossum', 'migrating/opossum'),
    ],
  },
  {
    text: 'Internals',
    pages: [
      doc('Architecture', 'architecture'),
      doc('Who is to blame', 'blame'),
      doc('Behaviour', 'behaviour'),
      doc('Correctness', 'correctness'),
      doc('Benchmarks', 'benchmarks'),
      doc('Decisions', 'decisions'),
      doc('Security', 'security'),
      page('Contributing', 'CONTRIBUTING.md', 'contributing'),
    ],
  },
];

/** The name of the page that is made from the code, or undefined for a file of the repository. */
export const generatedName = (source: string): string | undefined =>
  /^generated:(.*)$/.exec(source)?.[1];

/** The sections of the site, without the pages whose sources are missing. */
export function presentSections(): Section[] {
  return sections
    .map(({ text, pages }) => ({
      text,
      pages: pages.filter(({ source }) => generatedName(source) !== undefined || has(source)),
    }))
    .filter(({ pages }) => pages.length > 0);
}
