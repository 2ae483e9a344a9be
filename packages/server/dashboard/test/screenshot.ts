// Takes docs/dashboard.png: the page after some minutes of the real demo, while a circuit is open.
// Needs a built page and a browser. Minutes: the first argument, default 5.
import { fileURLToPath } from 'node:url';
import { launchBrowser, openPage } from './browser.ts';
import { startRealServer } from './real-server.ts';

const minutes = Number(process.argv[2] ?? 5);
const path = fileURLToPath(new URL('../../../../docs/dashboard.png', import.meta.url));

const [browser, server] = await Promise.all([launchBrowser(), startRealServer()]);
try {
  const { page } = await openPage(browser, server.url, {
    viewport: { width: 1440, height: 1200 },
    colorScheme: 'light',
  });
  await page.waitForTimeout(minutes * 60_000);
  await page.locator('tr.open[data-proxy^="moody-"]').first().waitFor({ timeout: 60_000 });
  await page.screenshot({ path });
} finally {
  await browser.close();
  await server.stop();
}
