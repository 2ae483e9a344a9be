import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser, openPage } from '../../../packages/server/dashboard/test/browser.ts';
import { htmlOf, htmlPages, isThere, serveSite, type SiteServer } from './built-site.ts';

type Browser = Awaited<ReturnType<typeof launchBrowser>>;
type Visit = Awaited<ReturnType<typeof openPage>>;

let browser: Browser;
let site: SiteServer;
let ends: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  site = await serveSite();
  browser = await launchBrowser();
});
afterEach(async () => {
  for (const end of ends.reverse()) await end();
  ends = [];
});
afterAll(async () => {
  await browser.close();
  await site.close();
});

/** Opens a page. When the test ends, nothing else than the site was asked, and nothing was complained of. */
async function visit(
  address: string,
  options: Parameters<typeof openPage>[2] = {},
): Promise<Visit['page']> {
  const { page, complaints } = await openPage(browser, 'about:blank', options);
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  ends.push(async () => {
    await page.context().close();
    expect(complaints).toEqual([]);
    const elsewhere = (url: string) =>
      !url.startsWith(site.origin) && !/^(data|blob|about):/.test(url);
    expect(asked.filter(elsewhere)).toEqual([]);
  });
  await page.goto(`${site.origin}${address}`, { waitUntil: 'networkidle' });
  return page;
}

const anchorsOf = (html: string) =>
  new Set(Array.from(html.matchAll(/\sid="([^"]*)"/g), ([, id = '']) => id));

describe('P4 the site', () => {
  it('every link, picture and script of every page leads somewhere', () => {
    const broken = htmlPages().flatMap((address) => {
      const html = htmlOf(address);
      const links = Array.from(html.matchAll(/\s(?:href|src)="([^"]*)"/g), ([, link = '']) => link);
      return links
        .filter((link) => !/^(?:https?|data):/.test(link))
        .filter((link) => {
          const to = new URL(link.replaceAll('&amp;', '&'), `http://site.invalid${address}`);
          if (!isThere(to.pathname)) return true;
          if (to.hash === '' || to.hash === '#' || !to.pathname.endsWith('.html')) return false;
          return !anchorsOf(htmlOf(to.pathname)).has(decodeURIComponent(to.hash.slice(1)));
        })
        .map((link) => `${address}: ${link}`);
    });
    expect(broken).toEqual([]);
  });

  it('every page can be reached from the navigation of the first guide', () => {
    const linked = new Set(
      Array.from(htmlOf('/guide.html').matchAll(/\shref="([^"#]*)/g), ([, link = '']) =>
        new URL(link, 'http://site.invalid/guide.html').pathname.replace(/\/$/, '/index.html'),
      ),
    );
    expect(htmlPages().filter((address) => !linked.has(address))).toEqual([]);
  });

  it.each([
    ['light', 1440],
    ['dark', 390],
  ] as const)('no page scrolls sideways, in %s at %i px', async (colorScheme, width) => {
    const page = await visit('/', { colorScheme, viewport: { width, height: 900 } });
    expect(await page.locator('html.dark').count()).toBe(colorScheme === 'dark' ? 1 : 0);
    const wide: string[] = [];
    for (const address of htmlPages()) {
      await page.goto(`${site.origin}${address}`);
      const scrolled = await page.evaluate(() => document.documentElement.scrollWidth);
      if (scrolled > width) wide.push(`${address}: ${scrolled}`);
    }
    expect(wide).toEqual([]);
  });

  it.each([
    ['maxLiveProxies', 'reference/options'],
    ['captcha', 'guides/bans'],
    ['PROXY_AUTHENTICATION', 'reference/errors'],
  ])('a search for %s leads to %s, without a server of its own', async (term, address) => {
    const page = await visit('/start.html');
    await page.keyboard.press('Control+k');
    await page.locator('#localsearch-input').fill(term);
    const hit = page.locator(`#localsearch-list a[href*="/${address}.html"]`).first();
    await hit.click();
    await page.waitForURL(`**/${address}.html**`);
    // The address changes before the page does.
    await expect.poll(() => page.locator('.vp-doc').innerText()).toContain(term);
  });

  it.each([
    ['timeout', 'guides/retries'],
    ['407', 'guides/troubleshooting'],
    ['sticky session', 'guides/sessions-and-regions'],
    ['curl', 'clients'],
    ['retry-after', 'guides/retries'],
    ['ban', 'guides/bans'],
    ['redis', 'guides/fleets'],
  ])('the first hit of a search for %s is in %s', async (words, address) => {
    const page = await visit('/start.html');
    await page.keyboard.press('Control+k');
    await page.locator('#localsearch-input').fill(words);
    const first = page.locator('#localsearch-list a').first();
    await first.waitFor();
    await expect.poll(() => first.getAttribute('href')).toContain(`/${address}.html`);
  });

  it('the first screen has the sentence, the ways on and the picture', async () => {
    const page = await visit('/', { viewport: { width: 1440, height: 900 } });
    for (const part of ['.VPHero .tagline', '.VPHero .actions', '.VPHero img']) {
      const {
        x = -1,
        y = -1,
        width = 0,
        height = 0,
      } = (await page.locator(part).boundingBox()) ?? {};
      expect(Math.min(x, y, width, height), part).toBeGreaterThan(0);
      expect(x + width, part).toBeLessThanOrEqual(1440);
      expect(y + height, part).toBeLessThanOrEqual(900);
    }
  });

  it('the look is chosen by a button, and kept', async () => {
    const page = await visit('/start.html', { colorScheme: 'light' });
    await page.locator('.VPNavBar .VPSwitchAppearance').first().click();
    await page.locator('html.dark').waitFor();
    await page.reload();
    expect(await page.locator('html.dark').count()).toBe(1);
  });
});
