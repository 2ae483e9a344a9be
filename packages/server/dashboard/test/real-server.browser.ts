import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser, openPage } from './browser.ts';
import { startRealServer, type RealServer } from './real-server.ts';

let browser: Browser;
let server: RealServer;
let ends: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  [browser, server] = await Promise.all([launchBrowser(), startRealServer()]);
});

afterEach(async () => {
  for (const end of ends.reverse()) await end();
  ends = [];
});

afterAll(async () => {
  await Promise.all([browser.close(), server.stop()]);
});

/** Opens a page; when the test ends it must not have complained, neither of the CSP nor else. */
async function visit(path = ''): Promise<Page> {
  const { page, complaints } = await openPage(browser, server.url + path);
  ends.push(async () => {
    await page.context().close();
    expect(complaints).toEqual([]);
  });
  return page;
}

const live = (page: Page) => page.waitForSelector('[data-connection="live"]');
const row = (page: Page, id: string) => page.locator(`tr[data-proxy="${id}"]`);
const circuitOf = (page: Page, id: string) => row(page, id).locator('.c-state');
const circuitAt = (id: string) =>
  server.ask<{ state: string; forced: boolean }>(`circuit-breakers/${id}`);

describe('A7 the dashboard of the real server, with its demo fleet', () => {
  it('A7 shows the pool, and live attempts with the proxies they took', async () => {
    const page = await visit();
    await live(page);
    const { proxies } = await server.ask<{ proxies: { id: string }[] }>('proxies');
    const ids = proxies.map(({ id }) => id);
    await page.waitForSelector(`table[data-rows="${ids.length}"]`);
    const shown = await page
      .locator('tbody tr[data-proxy]')
      .evaluateAll((all) => all.map((each) => each.getAttribute('data-proxy')));
    expect(new Set(shown)).toEqual(new Set(ids));
    const request = page.locator('.request.success').first();
    await request.waitFor();
    const route = (await request.locator('.attempt').last().textContent()) ?? '';
    expect(ids.some((id) => route.startsWith(id))).toBe(true);
    await expect
      .poll(() => page.locator('.request').count(), { timeout: 30_000 })
      .toBeGreaterThan(5);
  });

  it('A7 a circuit of the demo opens and recovers while the page is open', async () => {
    const page = await visit();
    await live(page);
    const gone = circuitOf(page, 'gone');
    await expect.poll(() => gone.innerText(), { timeout: 30_000 }).toMatch(/^Open/);
    const moody = page.locator('tr.open[data-proxy^="moody-"]').first();
    await moody.waitFor({ timeout: 60_000 });
    const id = (await moody.getAttribute('data-proxy')) ?? '';
    await page.locator(`tr.closed[data-proxy="${id}"]`).waitFor({ timeout: 60_000 });
    await page.locator(`.history li:has-text("${id}"):has-text("recovered")`).first().waitFor();
  }, 150_000);

  it('A7 the last hour is there when the page is opened, not only what is streamed', async () => {
    await expect
      .poll(
        async () =>
          (await server.ask<{ total_requests: number }>('metrics/retries')).total_requests,
        { timeout: 30_000 },
      )
      .toBeGreaterThan(20);
    const page = await visit();
    await live(page);
    await page.getByRole('button', { name: 'Last hour' }).click();
    const shown = await page
      .locator('[data-period="hour"] [role="img"]')
      .first()
      .getAttribute('aria-label');
    expect(
      Number(/^([\d,]+) requests/.exec(shown ?? '')?.[1]?.replaceAll(',', '')),
    ).toBeGreaterThan(20);
  });

  it('A2 forces a circuit open and resets it', async () => {
    const page = await visit();
    await live(page);
    await row(page, 'steady').locator('.c-actions button').click();
    await expect.poll(() => circuitOf(page, 'steady').innerText()).toMatch(/^Open\s+by hand$/);
    expect(await circuitAt('steady')).toMatchObject({ state: 'open', forced: true });
    await row(page, 'steady').locator('.c-actions button').click();
    await expect.poll(() => circuitOf(page, 'steady').innerText()).toBe('Closed');
    expect(await circuitAt('steady')).toMatchObject({ state: 'closed', forced: false });
  });

  it("A1 a field that the server refuses has the server's reason next to it; then it is saved", async () => {
    const page = await visit();
    await live(page);
    await page.click('nav button:has-text("policy")');
    await page.fill('#policy-max_attempts', '11');
    await page.fill('#policy-retry_status_codes', '503, 700');
    await page.click('form.policy [type="submit"]');
    await page.waitForSelector('.field.wrong');
    expect(await page.locator('#policy-max_attempts-error').innerText()).toMatch(/10/);
    expect(await page.locator('#policy-retry_status_codes-error').innerText()).toMatch(/599/);
    expect(await page.locator('.field.wrong').count()).toBe(2);
    await page.fill('#policy-max_attempts', '7');
    await page.fill('#policy-retry_status_codes', '502 503');
    await page.keyboard.press('Enter');
    await page.waitForSelector('text=Retry policy saved');
    expect(await server.ask('retry/policy')).toMatchObject({
      max_attempts: 7,
      retry_status_codes: [502, 503],
    });
  });

  it('A4 removes what is unhealthy, after a second press', async () => {
    const page = await visit();
    await live(page);
    await expect.poll(() => circuitOf(page, 'gone').innerText()).toMatch(/^Open/);
    await page.click('text=Remove unhealthy');
    await page.click('text=Really remove');
    await page.waitForSelector('.toast:has-text("gone")');
    await row(page, 'gone').waitFor({ state: 'detached' });
    const { proxies } = await server.ask<{ proxies: { id: string }[] }>('proxies');
    expect(proxies.map(({ id }) => id)).not.toContain('gone');
  });

  it('A7 goes on after a restart of the server, with what the new one knows', async () => {
    const page = await visit();
    await live(page);
    const { port } = server;
    expect(await server.stop()).toBe(0);
    await page.waitForSelector('[data-banner="reconnecting"]');
    server = await startRealServer(port);
    await live(page);
    await page.waitForSelector('table[data-rows="8"]');
    expect(await page.locator('[data-banner="reconnecting"]').count()).toBe(0);
    await page.waitForSelector('.request.success');
    const { total_requests: total } = await server.ask<{ total_requests: number }>(
      'metrics/retries',
    );
    await expect
      .poll(async () => {
        const text = await page.locator('[data-tile="requests"] .figure').innerText();
        return Number(text.replaceAll(',', ''));
      })
      .toBeGreaterThan(total);
  });

  it('A7 /docs shows the whole API without asking another server', async () => {
    const page = await visit();
    const asked: string[] = [];
    page.on('request', (request) => asked.push(new URL(request.url()).origin));
    await page.goto(`${server.url}docs`);
    await page.locator('.opblock').first().waitFor();
    const { paths } = await (await fetch(`${server.url}openapi.json`)).json();
    const operations = Object.values(paths as Record<string, object>).flatMap(Object.keys);
    expect(await page.locator('.opblock').count()).toBe(operations.length);
    expect(new Set(asked)).toEqual(new Set([new URL(server.url).origin]));
  });
});
