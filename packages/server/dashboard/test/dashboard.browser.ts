import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser, openPage } from './browser.ts';
import { openCircuit } from './fake-pool.ts';
import { startFakeServer, type FakeServer, type FakeServerOptions } from './fake-server.ts';

let browser: Browser;
let ends: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  browser = await launchBrowser();
});

afterEach(async () => {
  for (const end of ends.reverse()) await end();
  ends = [];
});

afterAll(async () => {
  await browser.close();
});

async function serve(options: FakeServerOptions = {}): Promise<FakeServer> {
  const server = await startFakeServer(options);
  ends.push(() => server.close());
  return server;
}

/** Opens the page; when the test ends it must not have complained. */
async function visit(server: FakeServer, options: BrowserContextOptions = {}): Promise<Page> {
  const { page, complaints } = await openPage(browser, server.url, options);
  ends.push(async () => {
    await page.context().close();
    expect(complaints).toEqual([]);
  });
  return page;
}

const connection = (page: Page, state: string) =>
  page.waitForSelector(`[data-connection="${state}"]`);
const row = (page: Page, id: string) => page.locator(`tr[data-proxy="${id}"]`);
const firstIds = (page: Page, count: number) =>
  page
    .locator('tbody tr[data-proxy]')
    .evaluateAll((all, n) => all.slice(0, n).map((each) => each.getAttribute('data-proxy')), count);
const id = (n: number) => `proxy-${n}.example.net:8080`;

describe('A7 the dashboard in a browser, under the strict CSP', () => {
  it('A7 shows the pool: states, the countdown to the next test, figures', async () => {
    const server = await serve();
    server.pool.circuits[3] = openCircuit(id(4), 25_000);
    const page = await visit(server);
    await connection(page, 'live');
    expect(await page.locator('tbody tr[data-proxy]').count()).toBe(4);
    const open = row(page, id(4));
    expect(await open.locator('.c-state').innerText()).toMatch(/^Open\s+\d+ s$/);
    const left = async () =>
      Number(/(\d+) s/.exec(await open.locator('.c-state').innerText())?.[1]);
    const before = await left();
    await expect.poll(left, { timeout: 10_000 }).toBeLessThan(before);
    expect(await row(page, id(1)).locator('.c-state').innerText()).toBe('Closed');
    expect(await row(page, id(1)).locator('.c-p95').innerText()).toMatch(/ms|s$/);
    expect(await page.locator('[data-tile="pool"] .figure').innerText()).toMatch(/^3\s+of 4$/);
    expect(await page.locator('.attempts').innerText()).toContain('92.9 % 56,431');
    expect(await page.locator('.traffic .plot svg').count()).toBe(3);
  });

  it('A7 sorts, filters and scrolls 10,000 proxies with a few dozen rows in the document', async () => {
    const server = await serve({ proxies: 10_000 });
    const page = await visit(server);
    await page.waitForSelector('table[data-rows="10000"]');
    const drawn = () => page.locator('tbody tr[data-proxy]').count();
    expect(await drawn()).toBeLessThan(80);
    expect(await firstIds(page, 2)).toEqual([id(1), id(2)]);

    await page.click('th.c-id button');
    await row(page, id(10_000)).waitFor();
    expect(await firstIds(page, 2)).toEqual([id(10_000), id(9999)]);
    expect(await page.getAttribute('th.c-id', 'aria-sort')).toBe('descending');

    await page.locator('.table-box').evaluate((box) => box.scrollTo({ top: box.scrollHeight }));
    await row(page, id(1)).waitFor();
    expect(await row(page, id(1)).getAttribute('aria-rowindex')).toBe('10001');
    expect(await drawn()).toBeLessThan(80);

    await page.fill('.search input', 'proxy-77 us');
    await expect.poll(() => page.getAttribute('table', 'data-rows')).not.toBe('10000');
    const matching = server.pool.proxies.filter(
      (each) => each.id.includes('proxy-77') && each.region === 'us',
    );
    expect(await page.getAttribute('table', 'data-rows')).toBe(String(matching.length));
    expect(await page.locator('.table-box').evaluate((box) => box.scrollTop)).toBe(0);

    await page.fill('.search input', '');
    await page.click('.segments [data-state="open"]');
    await page.waitForSelector('table[data-rows="1000"]');
    await page.fill('.search input', 'nobody');
    await page.click('text=Clear the filter');
    await page.waitForSelector('table[data-rows="10000"]');
  });

  it('A7 live attempts appear as they happen, each request with the way it took', async () => {
    const server = await serve();
    const page = await visit(server);
    await connection(page, 'live');
    const request = { request_id: 'r1', origin: 'https://api.example.com' };
    server.emit('request:start', { ...request, method: 'GET' });
    server.emit('attempt:start', { ...request, attempt: 0, proxy_id: id(1), hedge: false });
    await page.waitForSelector('.request.running .attempt.running');
    server.emit('attempt:end', {
      ...request,
      attempt: 0,
      proxy_id: id(1),
      outcome: 'failure',
      blame: 'proxy',
      phase: 'connect',
      latency: 0.212,
      delay_before: 0,
      hedge: false,
    });
    server.emit('retry:scheduled', { ...request, attempt: 1, delay: 1, reason: 'connect' });
    await page.waitForSelector('text=/retry (in|due)/');
    server.emit('attempt:end', {
      ...request,
      attempt: 1,
      proxy_id: id(2),
      outcome: 'success',
      blame: 'none',
      phase: 'body',
      status_code: 200,
      latency: 0.09,
      delay_before: 1,
      hedge: false,
    });
    const end = { ...request, method: 'GET', attempt_count: 2, status_code: 200, duration: 1.31 };
    server.emit('request:end', { ...end, outcome: 'success' });
    await page.waitForSelector('.request.success');
    expect(await page.locator('.request .attempt').allTextContents()).toEqual([
      expect.stringMatching(/^proxy-1\S+8080\s*connect 212 ms$/),
      expect.stringMatching(/^proxy-2\S+8080\s*200 90 ms$/),
    ]);
    expect(await page.locator('.request .result').innerText()).toBe('200 · 1.31 s');
    await page.click('.feed button:has-text("Failed")');
    await page.waitForSelector('text=No failed request since this page was opened.');
    await page.click('.feed button:has-text("Retried")');
    await page.waitForSelector('.request.success');
  });

  it('A7 a transition on the stream changes the row; more than half open raises a banner', async () => {
    const server = await serve();
    server.pool.circuits = server.pool.circuits.map((circuit, n) =>
      n < 2 ? openCircuit(circuit.proxy_id, 20_000) : { ...circuit, state: 'closed' },
    );
    const page = await visit(server);
    await connection(page, 'live');
    await row(page, id(3)).waitFor();
    expect(await page.locator('[data-banner="open-circuits"]').count()).toBe(0);
    server.pool.circuits[2] = openCircuit(id(3), 30_000);
    server.emit('circuit:transition', {
      proxy_id: id(3),
      from_state: 'closed',
      to_state: 'open',
      reason: 'failures',
      failure_count: 5,
      next_test_time: new Date(Date.now() + 30_000).toISOString(),
    });
    const banner = page.locator('[data-banner="open-circuits"]');
    await banner.waitFor();
    expect(await banner.innerText()).toContain('3 of 4 circuits are open');
    expect(await row(page, id(3)).locator('.c-state').innerText()).toMatch(/^Open\s+\d+ s$/);
    await banner.locator('button').click();
    await page.waitForSelector('table[data-rows="3"]');
  });

  it('A7 a column of scores stands there when the server keeps scores', async () => {
    const server = await serve();
    const page = await visit(server);
    await row(page, id(1)).waitFor();
    expect(await page.locator('th.c-score').count()).toBe(0);
    server.pool.proxies = server.pool.proxies.map((proxy, n) => ({ ...proxy, score: n / 4 }));
    // What a stream that was cut did not tell is read again.
    server.cutStreams();
    await page.waitForSelector('th.c-score');
    expect(await page.locator('tbody .c-score').allInnerTexts()).toEqual([
      '0.00',
      '0.25',
      '0.50',
      '0.75',
    ]);
    await page.click('th.c-score button');
    await expect.poll(() => firstIds(page, 1)).toEqual([id(4)]);
  });

  it('A2 forces a circuit open and takes it back, by keyboard alone', async () => {
    const server = await serve();
    const page = await visit(server);
    await connection(page, 'live');
    await row(page, id(1)).locator('.c-actions button').focus();
    await page.keyboard.press('Enter');
    await row(page, id(1)).locator('text=by hand').waitFor();
    expect(server.changes).toEqual([`POST circuit-breakers/${encodeURIComponent(id(1))}/open`]);
    await page.locator('.toast button:has-text("Undo")').focus();
    await page.keyboard.press('Enter');
    await expect.poll(() => row(page, id(1)).locator('.c-state').innerText()).toBe('Closed');
    expect(server.changes[1]).toBe(`POST circuit-breakers/${encodeURIComponent(id(1))}/reset`);
  });

  it("A1 edits the policy; the server's messages stand beside their fields", async () => {
    const server = await serve();
    const page = await visit(server);
    await connection(page, 'live');
    await page.click('nav button:has-text("policy")');
    await page.fill('#policy-max_attempts', '11');
    await page.fill('#policy-retry_status_codes', '503, 700');
    await page.click('form.policy [type="submit"]');
    await page.waitForSelector('.field.wrong');
    expect(await page.locator('#policy-max_attempts-error').innerText()).toBe(
      'must be an integer from 1 to 10, got 11',
    );
    expect(await page.locator('#policy-retry_status_codes-error').innerText()).toBe(
      'must be from 400 to 599, got 700',
    );
    expect(await page.getAttribute('#policy-max_attempts', 'aria-invalid')).toBe('true');
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('policy-max_attempts');
    await page.fill('#policy-max_attempts', '5');
    await page.fill('#policy-retry_status_codes', '429 503');
    await page.keyboard.press('Enter');
    await page.waitForSelector('text=Retry policy saved');
    expect(server.changes.at(-1)).toBe(
      'PATCH retry/policy {"max_attempts":5,"retry_status_codes":[429,503]}',
    );
    expect(await page.locator('dialog').count()).toBe(0);
  });

  it('A7 keeps working through a restart of the server', async () => {
    const server = await serve();
    const page = await visit(server);
    await connection(page, 'live');
    server.emit('attempt:start', { request_id: 'r1', attempt: 0, proxy_id: id(1), origin: 'x' });
    await page.waitForSelector('.request.running');
    await server.close();
    await connection(page, 'reconnecting');
    await page.waitForSelector('[data-banner="reconnecting"]');
    expect(await page.locator('tbody tr[data-proxy]').count()).toBe(4);
    expect(await row(page, id(1)).locator('.c-actions button').isDisabled()).toBe(true);
    const again = await serve({ port: server.port, proxies: 5 });
    await connection(page, 'live');
    await page.waitForSelector('table[data-rows="5"]');
    await page.waitForSelector('.request.unknown');
    again.emit('request:start', { request_id: 'r2', method: 'GET', origin: 'https://b.test' });
    await page.waitForSelector('.request.running');
    expect(await page.locator('[data-banner="reconnecting"]').count()).toBe(0);
  });

  it('A7 a stream that was cut is opened again', async () => {
    const server = await serve();
    const page = await visit(server);
    await connection(page, 'live');
    server.cutStreams();
    await expect.poll(() => server.listeners, { timeout: 10_000 }).toBe(1);
    await connection(page, 'live');
    server.emit('request:start', { request_id: 'r', method: 'GET', origin: 'https://b.test' });
    await page.waitForSelector('.request');
  });

  it('A8 asks for the token, refuses a wrong one in words, and keeps a right one for the tab', async () => {
    const server = await serve({ token: 'correct horse' });
    const page = await visit(server);
    await page.fill('#token', 'wrong');
    await page.keyboard.press('Enter');
    await page.waitForSelector('text=The server did not accept this token.');
    await page.fill('#token', 'correct horse');
    await page.keyboard.press('Enter');
    await connection(page, 'live');
    await row(page, id(1)).waitFor();
    await page.reload();
    await connection(page, 'live');
    await page.click('text=Forget token');
    await page.waitForSelector('#token');
    expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
  });

  it('A4 an empty pool shows what to do, and what is added appears', async () => {
    const server = await serve({ proxies: 0 });
    const page = await visit(server);
    await page.waitForSelector('[data-banner="no-proxies"]');
    await page.fill('#add-url', 'nonsense');
    await page.click('text=Add it');
    await page.waitForSelector('text=must look like http://host:port');
    await page.fill('#add-url', 'http://bob:secret@one.test:8080');
    await page.fill('#add-region', 'eu');
    await page.click('text=Add it');
    await row(page, 'one.test:8080').waitFor();
    expect(server.changes.at(-1)).toBe(
      'POST proxies {"url":"http://bob:secret@one.test:8080","region":"eu"}',
    );
    expect(await page.content()).not.toContain('secret');
    await page.click('nav button:has-text("Add")');
    await page.fill('#import-list', 'two.test:1\nthree.test:2');
    await page.click('button:has-text("Import")');
    await row(page, 'three.test:2').waitFor();
    expect(await page.locator('tbody tr[data-proxy]').count()).toBe(3);
  });

  it('A7 light and dark follow the system until the operator chooses', async () => {
    const page = await visit(await serve(), { colorScheme: 'dark' });
    await connection(page, 'live');
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const dark = await ground();
    await page.click('[aria-label^="Colours"]');
    const light = await ground();
    expect(light).not.toBe(dark);
    await page.reload();
    expect(await ground()).toBe(light);
    await page.click('[aria-label^="Colours"]');
    expect(await ground()).toBe(dark);
  });

  it('A7 fits a screen of 390 pixels; actions are in the panel of the proxy', async () => {
    const server = await serve({ proxies: 200 });
    const page = await visit(server, { viewport: { width: 390, height: 844 } });
    await connection(page, 'live');
    await row(page, id(1)).waitFor();
    const overflow = () =>
      page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
    expect(await overflow()).toBe(0);
    const name = await row(page, id(1)).locator('.c-id').boundingBox();
    expect(name?.width).toBeGreaterThan(110);
    await row(page, id(1)).locator('button.link').click();
    await page.click('dialog >> text=Force open');
    await page.waitForSelector('dialog >> text=by hand');
    expect(await overflow()).toBe(0);
    await page.keyboard.press('Escape');
    await expect.poll(() => page.locator('dialog').count()).toBe(0);
  });
});
