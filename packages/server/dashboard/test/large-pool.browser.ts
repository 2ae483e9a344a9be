import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Browser } from 'playwright-core';
import { launchBrowser, openPage } from './browser.ts';
import { startRealServer, type RealServer } from './real-server.ts';

const size = 10_000;
let browser: Browser;
let server: RealServer;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'whirl-large-'));
  const file = join(folder, 'proxies.txt');
  const lines = Array.from({ length: size }, (_, i) => `10.0.${i >> 8}.${i & 255}:8080`);
  await writeFile(file, lines.join('\n'));
  [browser, server] = await Promise.all([
    launchBrowser(),
    startRealServer(0, ['--proxies-file', file]),
  ]);
});

afterAll(async () => {
  await Promise.all([browser.close(), server.stop()]);
  await rm(folder, { recursive: true });
});

describe('A16 the dashboard of a large pool', () => {
  it('A16 moves less than 50 kB/s when nothing happens, and gets what does', async () => {
    const { page, complaints } = await openPage(browser, server.url);
    await page.waitForSelector('[data-connection="live"]');
    await page.waitForSelector(`table[data-rows="${size}"]`);
    const wire = await page.context().newCDPSession(page);
    await wire.send('Network.enable');
    let bytes = 0;
    let requests = 0;
    wire.on('Network.dataReceived', ({ encodedDataLength }) => (bytes += encodedDataLength));
    wire.on('Network.responseReceived', () => requests++);
    const seconds = 8;
    await page.waitForTimeout(seconds * 1000);
    expect(requests).toBeGreaterThan(1);
    expect(bytes / seconds).toBeLessThan(50_000);

    const added = await fetch(`${server.url}api/v1/proxies`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ url: 'new.test:8080' }),
    });
    expect(added.status).toBe(201);
    await page.waitForSelector(`table[data-rows="${size + 1}"]`);
    await fetch(`${server.url}api/v1/proxies/10.0.0.0:8080`, { method: 'DELETE' });
    await page.waitForSelector(`table[data-rows="${size}"]`);
    // Even then the whole pool is not read again.
    expect(bytes).toBeLessThan(50_000 * seconds);
    await page.context().close();
    expect(complaints).toEqual([]);
  });
});
