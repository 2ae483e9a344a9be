import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { AxeResults } from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser, openPage } from './browser.ts';
import { fakeCircuit, fakeProxy, openCircuit, unusedGateway } from './fake-pool.ts';
import { startFakeServer, type FakeServer, type FakeServerOptions } from './fake-server.ts';

const longIds = [
  'alice@proxy1.example.com:8080',
  'alice@proxy2.example.com:8080',
  'customer-4711-zone-residential-session-9@gateway.eu-west.provider.example.net:22225',
];

let browser: Browser;
let axe: string;
let ends: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  browser = await launchBrowser();
  axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
});

afterEach(async () => {
  for (const end of ends.reverse()) await end();
  ends = [];
});

afterAll(() => browser.close());

async function visit(
  options: FakeServerOptions = {},
  context: BrowserContextOptions = {},
): Promise<{ page: Page; server: FakeServer }> {
  const server = await startFakeServer(options);
  ends.push(() => server.close());
  for (const id of longIds) {
    server.pool.proxies.unshift(fakeProxy(id));
    server.pool.circuits.unshift(fakeCircuit(id));
  }
  server.pool.circuits[1] = openCircuit(longIds[1] as string, 20_000);
  const { page, complaints } = await openPage(browser, server.url, context);
  ends.push(async () => {
    await page.context().close();
    expect(complaints).toEqual([]);
  });
  await page.waitForSelector('[data-connection="live"]');
  await page.waitForSelector('tbody tr[data-proxy]');
  return { page, server };
}

/** What axe finds wrong by WCAG 2.2 AA. */
async function faultsIn(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(async () => {
    const { axe: loaded } = globalThis as unknown as {
      axe: { run(options: object): Promise<AxeResults> };
    };
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
    return loaded.run({ runOnly: { type: 'tag', values: tags } });
  });
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}

const nameOf = (page: Page, id: string) => page.locator(`tr[data-proxy="${id}"] .c-id .name`);

describe('A7 names of real length', () => {
  it.each([1280, 1024, 900, 768, 390])('A7 can be told apart at %i px', async (width) => {
    const { page } = await visit({}, { viewport: { width, height: 900 } });
    const overflow = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    expect(overflow).toBe(0);
    const [first, second, longest] = longIds as [string, string, string];
    for (const id of [first, second]) {
      // The port and the end of the host show, and enough of the beginning.
      const shown = await nameOf(page, id).evaluate((name) => {
        const box = name.closest('td') as HTMLElement;
        const tail = name.querySelector('.tail') as HTMLElement;
        const head = name.querySelector('.head') as HTMLElement;
        return {
          isInside: tail.getBoundingClientRect().right <= box.getBoundingClientRect().right + 0.5,
          headWidth: head.clientWidth,
        };
      });
      expect(shown.isInside, id).toBe(true);
      expect(shown.headWidth, id).toBeGreaterThan(90);
    }
    expect(await nameOf(page, longest).getAttribute('title')).toBe(longest);
  });

  it.each([1280, 900])('A7 no tag is cut at %i px: what has no room is left out', async (width) => {
    const { page } = await visit({}, { viewport: { width, height: 900 } });
    const cut = await page.locator('.c-id .tag').evaluateAll((tags) =>
      tags.flatMap((tag) => {
        const box = (tag.parentElement as HTMLElement).getBoundingClientRect();
        const { left, right, top } = tag.getBoundingClientRect();
        const isSeen = top < box.bottom - 2 && right > left;
        return isSeen && right > box.right + 0.5 ? [tag.textContent] : [];
      }),
    );
    expect(cut).toEqual([]);
    expect(await page.locator('.c-id .tag').first().isVisible()).toBe(true);
  });

  it.each([1440, 1280, 1100])('A7 the plots stand on one line at %i px', async (width) => {
    const { page } = await visit({}, { viewport: { width, height: 900 } });
    const sizes = await page.locator('.traffic .plot').evaluateAll((plots) =>
      plots.map((plot) => {
        const { top, height } = plot.getBoundingClientRect();
        return [top, height];
      }),
    );
    expect(sizes).toEqual([sizes[0], sizes[0], sizes[0]]);
  });

  it('A7 the state of a circuit has room, whatever it is', async () => {
    const { page } = await visit({ proxies: 10 }, { viewport: { width: 1440, height: 900 } });
    await page.waitForSelector('tr.half_open .chip');
    const cut = await page.locator('td.c-state > *').evaluateAll((chips) =>
      chips.flatMap((chip) => {
        const { right } = (chip.parentElement as HTMLElement).getBoundingClientRect();
        return chip.getBoundingClientRect().right > right + 0.5 ||
          chip.scrollWidth > chip.clientWidth
          ? [chip.textContent]
          : [];
      }),
    );
    expect(cut).toEqual([]);
  });

  it.each([1440, 390])(
    'A7 in the feed and in the history they can be told apart at %i px',
    async (width) => {
      const { page, server } = await visit({}, { viewport: { width, height: 900 } });
      const [first = '', second = '', longest = ''] = longIds;
      for (const proxy_id of longIds) {
        const ids = { request_id: proxy_id, proxy_id, origin: 'http://t.test' };
        const failed = { outcome: 'failure', phase: 'tls_proxy', latency: 0.2, delay_before: 0 };
        server.emit('request:start', { ...ids, method: 'GET' });
        server.emit('attempt:end', { ...ids, ...failed, attempt: 0 });
        const states = { from_state: 'closed', to_state: 'open' };
        server.emit('circuit:transition', {
          proxy_id,
          ...states,
          reason: 'failures',
          failure_count: 5,
        });
      }
      for (const place of ['.attempt', '.history .link']) {
        const cut = (id: string) =>
          page
            .locator(`${place} .name[title="${id}"]`)
            .first()
            .evaluate((name) => {
              const head = name.querySelector('.head') as HTMLElement;
              return head.scrollWidth > head.clientWidth;
            });
        expect([await cut(first), await cut(second), await cut(longest)], place).toEqual([
          false,
          false,
          true,
        ]);
      }
    },
  );

  it.each([1440, 390])('A7 the longest does not make a panel wider at %i px', async (width) => {
    const { page } = await visit(
      { mode: 'demo', demoTarget: 'http://127.0.0.1:1/' },
      { viewport: { width, height: 900 } },
    );
    await page.locator('[data-banner="demo"]').getByRole('button', { name: 'Send' }).click();
    await page.locator('form.send').getByRole('button', { name: 'Send' }).click();
    await page.waitForSelector('.outcome');
    const wider = (selector: string) =>
      page.locator(selector).evaluate((each) => each.scrollWidth - each.clientWidth);
    expect(await page.locator('.chain .name').first().getAttribute('title')).toBe(longIds[2]);
    expect(await wider('dialog')).toBe(0);
    await page.keyboard.press('Escape');
    await page.locator(`tr[data-proxy="${longIds[2]}"] .c-id button`).click();
    await page.waitForSelector('[data-dialog="proxy"] .figures');
    expect(await wider('dialog')).toBe(0);
  });

  it('A7 a name that has no room is whole on hover and on focus', async () => {
    const { page } = await visit({}, { viewport: { width: 1024, height: 900 } });
    const longest = longIds[2] as string;
    const head = nameOf(page, longest).locator('.head');
    const isWhole = () => head.evaluate((each) => getComputedStyle(each).overflowX === 'visible');
    expect(await isWhole()).toBe(false);
    await nameOf(page, longest).hover();
    expect(await isWhole()).toBe(true);
    await page.mouse.move(0, 0);
    expect(await isWhole()).toBe(false);
    await page.locator('.table-box thead th button').first().focus();
    for (let i = 0; i < 40 && !(await isWhole()); i++) await page.keyboard.press('Tab');
    expect(await isWhole()).toBe(true);
  });
});

describe('A7 panels', () => {
  it('A7 the focus returns to where it was', async () => {
    const { page } = await visit();
    const link = page.locator(`tr[data-proxy="${longIds[0]}"] .c-id button`);
    await link.focus();
    await page.keyboard.press('Enter');
    await page.waitForSelector('[data-dialog="proxy"]');
    await page.keyboard.press('Escape');
    await page.waitForSelector('[data-dialog="proxy"]', { state: 'detached' });
    expect(await link.evaluate((each) => each === document.activeElement)).toBe(true);
  });

  it('A7 edits that are not saved are asked about', async () => {
    const { page } = await visit();
    const open = () => page.getByRole('button', { name: 'Retry policy' }).click();
    await open();
    await page.locator('#policy-max_attempts').fill('7');
    await page.keyboard.press('Escape');
    await page.waitForSelector('[data-banner="unsaved"]');
    await page.keyboard.press('Enter');
    expect(await page.locator('#policy-max_attempts').inputValue()).toBe('7');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Discard it' }).click();
    await page.waitForSelector('[data-dialog="policy"]', { state: 'detached' });
    await open();
    await page.waitForSelector('#policy-max_attempts');
    await page.keyboard.press('Escape');
    await page.waitForSelector('[data-dialog="policy"]', { state: 'detached' });
  });

  it('A12 a demo is labelled, and a request can be sent through it', async () => {
    const { page } = await visit({ mode: 'demo', demoTarget: 'http://127.0.0.1:1/' });
    const banner = page.locator('[data-banner="demo"]');
    expect(await banner.innerText()).toContain('WHIRL_PROXIES');
    await banner.getByRole('button', { name: 'Send a request' }).click();
    expect(await page.locator('#send-url').inputValue()).toBe('http://127.0.0.1:1/');
    await page.locator('form.send').getByRole('button', { name: 'Send' }).click();
    await page.waitForSelector('.outcome[data-good="true"]');
    const chain = await page.locator('.chain li').allInnerTexts();
    expect(chain).toHaveLength(2);
    expect(chain[1]).toMatch(/after 1.00 s[^]*200/);
    await page.locator('#send-url').fill('http://down.test/');
    await page.locator('form.send').getByRole('button', { name: 'Send' }).click();
    await page.waitForSelector('.outcome[data-good="false"]');
    expect(await page.locator('.outcome').innerText()).toMatch(
      /gave up after 1 attempt[^]*proxy connection/,
    );
  });

  it('A12 a live server has no demo banner, and the way to the API', async () => {
    const { page, server } = await visit();
    await page.waitForTimeout(500);
    expect(await page.locator('[data-banner="demo"]').count()).toBe(0);
    const href = await page
      .getByRole('link', { name: 'API' })
      .evaluate((a) => (a as HTMLAnchorElement).href);
    expect(href).toBe(`${server.url}docs/`);
  });

  it('A16 a page that shows the first 20,000 proxies of a pool has a note of that, and shows no more', async () => {
    const { page, server } = await visit({ proxies: 20_050 });
    const banner = page.locator('[data-banner="first-rows"]');
    expect(await banner.innerText()).toMatch(
      /has 20,053 proxies\. This page counts the first 20,000 of them/,
    );
    await page.waitForSelector('table[data-rows="20000"]');
    const beyond = server.pool.proxies.at(-1)?.id as string;
    const asked = page.waitForRequest(/\/proxies\?id=/);
    for (const proxy_id of [beyond, longIds[0]]) {
      server.emit('circuit:transition', {
        ...{ proxy_id, from_state: 'closed', to_state: 'open', reason: 'failures' },
        failure_count: 5,
      });
    }
    const ids = new URL((await asked).url()).searchParams.getAll('id');
    expect(ids).toEqual([longIds[0]]);
    // What it does not hold the server finds.
    await page.getByRole('searchbox').fill(beyond);
    await page.waitForSelector('table[data-rows="1"]');
    await page.locator(`tr[data-proxy="${beyond}"] .c-id button`).click();
    expect(await page.locator('[data-dialog="proxy"] .figures').innerText()).toContain(beyond);
    await page.locator('[data-dialog="proxy"]').getByRole('button', { name: 'Force open' }).click();
    await page.waitForSelector(`tr.open[data-proxy="${beyond}"]`);
    await page.keyboard.press('Escape');
    await page.getByRole('searchbox').fill('');
    await page.waitForSelector('table[data-rows="20000"]');
    await page.locator('[data-state="half_open"]').click();
    await page.waitForSelector('table[data-rows="200"]');
    await page.getByRole('button', { name: 'Show more' }).click();
    await page.waitForSelector('table[data-rows="400"]');
  }, 60_000);

  it('A7 the last hour is there when the page is opened', async () => {
    const { page } = await visit();
    await page.getByRole('button', { name: 'Last hour' }).click();
    const shown = await page
      .locator('[data-period="hour"] .plot')
      .first()
      .getAttribute('aria-label');
    // 60 to 90 a minute.
    expect(Number(/^[\d,]+/.exec(shown ?? '')?.[0].replace(',', ''))).toBeGreaterThan(60 * 60);
  });

  it('A7 a message covers nothing', async () => {
    const { page } = await visit();
    await page.locator(`tr[data-proxy="${longIds[0]}"] .c-actions button`).click();
    const toast = await page.locator('.toast').boundingBox();
    const main = await page.locator('main').boundingBox();
    expect((toast?.y ?? 0) + (toast?.height ?? 0)).toBeLessThanOrEqual(main?.y ?? 0);
  });

  it('A7 the rule of the circuit stands beside its failures', async () => {
    const { page } = await visit();
    await page.locator(`tr[data-proxy="${longIds[0]}"] .c-id button`).click();
    expect(await page.locator('.rule').innerText()).toMatch(/opens at 5, if .* half of/);
  });
});

describe('E7 who is to blame', () => {
  it('E7 a target that is down is named, and the proxies are not blamed', async () => {
    const { page, server } = await visit({ proxies: 2 });
    expect(await page.locator('.targets').count()).toBe(0);
    const failures = { proxy: 0, route: 0, target: 12, unknown: 0, caller: 0 };
    server.pool.targets = [
      {
        origin: 'https://ok.test',
        state: 'up',
        reason: 'up: it responds',
        attempts: 40,
        success_rate: 1,
        failures: {},
      },
      {
        origin: 'https://api.shop.test',
        state: 'down',
        reason: 'down',
        attempts: 12,
        success_rate: 0,
        failures,
      },
    ];
    server.emit('target:down', { target: 'https://api.shop.test' });
    await page.waitForSelector('.verdict');
    expect(await page.locator('.verdict').innerText()).toBe(
      'api.shop.test responds to no proxy; 4 of your 5 proxies are fine.',
    );
    expect(await page.locator('.targets li').first().innerText()).toMatch(
      /down[^]*api\.shop\.test[^]*target/,
    );
    expect(await faultsIn(page)).toEqual([]);
  });
});

describe('the gateway and the fleet', () => {
  it('W1 a gateway that was not used yet shows how to use it', async () => {
    const { page } = await visit({ mode: 'demo', demoTarget: 'http://127.0.0.1:41234/' });
    const command = 'curl -x http://127.0.0.1:8001 http://127.0.0.1:41234/';
    await page.waitForSelector('[data-gateway="unused"]');
    for (const place of ['.gateway', '[data-banner="demo"]']) {
      expect(await page.locator(`${place} .command code`).innerText()).toBe(command);
    }
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.locator('.gateway').getByRole('button', { name: 'Copy the command' }).click();
    await page.getByText('Copied.').waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(command);
  });

  it('W16 shows open tunnels, bytes and failovers', async () => {
    const { page, server } = await visit();
    server.pool.gateway = {
      ...unusedGateway,
      open_tunnels: 3,
      tunnels: 1204,
      bytes_down: 12_345_678,
      failovers: 31,
      failovers_last_hour: 12,
    };
    server.emit('tunnel:end', { proxy_id: longIds[0] });
    await page.waitForSelector('[data-gateway="used"]');
    const text = await page.locator('.gateway').innerText();
    expect(text).toContain('12 dead proxies were passed unseen in the last hour.');
    expect(text).toMatch(/Open tunnels\s+3[^]*1,204[^]*12\.3 MB/);
    expect(await faultsIn(page)).toEqual([]);
    server.pool.gateway = null;
    server.emit('tunnel:end', { proxy_id: longIds[0] });
    await page.waitForSelector('[data-gateway="off"]');
    expect(await page.locator('.gateway').innerText()).toContain('WHIRL_GATEWAY');
  });

  it('shows which processes share the pool, and what they report of a proxy', async () => {
    const { page, server } = await visit();
    expect(await page.locator('[data-fleet]').count()).toBe(0);
    const other = (process: string, state: 'joined' | 'suspect' | 'silent') => ({
      ...{ process, witness: 'host', state },
      silent_since: state === 'silent' ? new Date().toISOString() : null,
    });
    const mine = { process: 'web-1', state: 'degraded' as const };
    server.pool.fleet = {
      ...{ pool: 'shop', ...mine, reports: [] },
      processes: [
        other('web-1', 'joined'),
        other('web-2', 'joined'),
        other('web-3', 'silent'),
        other('web-4', 'suspect'),
      ],
    };
    server.pool.reports[longIds[0] as string] = [
      { process: 'web-2', failures_in_a_row: 6, open_until: new Date().toISOString() },
      { process: 'web-4', failures_in_a_row: 0, open_until: null },
    ];
    server.emit('fleet:degraded', { reason: 'timeout' });
    await page.waitForSelector('[data-fleet="degraded"]');
    const listed = await page.locator('[data-fleet] li').allInnerTexts();
    expect(listed.map((text) => text.split(/\s+/).slice(0, 2).join(' '))).toEqual([
      'degraded web-1',
      'silent web-3',
      'suspect web-4',
      'joined web-2',
    ]);
    expect(listed[0]).toContain('decides alone');
    expect(await faultsIn(page)).toEqual([]);
    await page.locator(`tr[data-proxy="${longIds[0]}"] .c-id button`).click();
    const reports = page.locator('[data-reports] li');
    await reports.first().waitFor();
    expect(await reports.allInnerTexts()).toEqual([
      expect.stringMatching(/web-2\s*6 failures in a row\s*open until/),
      expect.stringMatching(/web-4\s*works/),
    ]);
    expect(await faultsIn(page)).toEqual([]);
  });
});

describe('A7 for every reader', () => {
  const schemes = ['light', 'dark'] as const;
  for (const colorScheme of schemes) {
    it(`A7 axe finds nothing by WCAG AA, ${colorScheme}`, async () => {
      const { page, server } = await visit({ mode: 'demo' }, { colorScheme });
      expect(await faultsIn(page)).toEqual([]);
      for (const name of ['Retry policy', 'Add proxies', 'Send a request']) {
        await page.locator('nav').getByRole('button', { name }).click();
        await page.waitForSelector('dialog[open]');
        await page.waitForSelector('dialog label');
        expect(await faultsIn(page), name).toEqual([]);
        await page.keyboard.press('Escape');
        await page.waitForSelector('dialog', { state: 'detached' });
      }
      await page.locator(`tr[data-proxy="${longIds[1]}"] .c-id button`).click();
      await page.waitForSelector('[data-dialog="proxy"]');
      expect(await faultsIn(page)).toEqual([]);
      await page.keyboard.press('Escape');
      for (const id of longIds)
        server.emit('circuit:transition', {
          proxy_id: id,
          from_state: 'closed',
          to_state: 'open',
          reason: 'failures',
          failure_count: 5,
        });
      await page.setViewportSize({ width: 390, height: 844 });
      await page.waitForTimeout(300);
      expect(await faultsIn(page)).toEqual([]);
    });
  }

  it('A7 something stands there before the script, and all of it is small', async () => {
    const folder = fileURLToPath(new URL('../../dist/dashboard/', import.meta.url));
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((each) =>
      each.isFile(),
    );
    const bytes = files.map(
      ({ parentPath, name }) => gzipSync(readFileSync(`${parentPath}/${name}`)).length,
    );
    expect(bytes.reduce((sum, each) => sum + each)).toBeLessThan(60_000);
    const server = await startFakeServer();
    ends.push(() => server.close());
    const { page } = await openPage(browser, server.url, { javaScriptEnabled: false });
    ends.push(() => page.context().close());
    expect(await page.locator('h1').innerText()).toBe('whirl');
    expect(await page.locator('.skeleton').count()).toBeGreaterThan(3);
  });
});
