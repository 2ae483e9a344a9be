import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startFixture } from './testing/fixture.ts';

function buildFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'whirl-dashboard-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(path.join(folder, 'assets'));
  writeFileSync(path.join(folder, 'index.html'), '<!doctype html><title>built</title>');
  writeFileSync(path.join(folder, 'assets', 'app-123.js'), 'export {};');
  return folder;
}

describe('A7 the page at /', () => {
  it('A7 the built page is served under a strict CSP, its hashed assets for ever', async () => {
    const { app } = await startFixture({ dashboard: true, dashboardFolder: buildFolder() });
    const page = await app.inject('/');
    expect(page.body).toContain('built');
    expect(page.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-cache',
    });
    const policy = String(page.headers['content-security-policy']).split(';');
    expect(policy).toContain("script-src 'self'");
    expect(policy).toContain("style-src 'self'");
    expect(policy).toContain("connect-src 'self'");
    expect(String(policy)).not.toContain('unsafe');
    const asset = await app.inject('/assets/app-123.js');
    expect(asset.headers).toMatchObject({
      'content-type': 'application/javascript; charset=utf-8',
      'cache-control': 'public, max-age=31536000, immutable',
    });
  });

  it.each([
    '/assets/nope.js',
    '/assets/..%2f..%2fpackage.json',
    '/assets/%2e%2e/%2e%2e/etc/passwd',
  ])('A7 %s is a 404', async (url) => {
    const { app } = await startFixture({ dashboard: true, dashboardFolder: buildFolder() });
    expect((await app.inject(url)).statusCode).toBe(404);
  });

  it('A7 without the page a plain text shows where things are', async () => {
    const { app } = await startFixture({ dashboard: false, dashboardFolder: buildFolder() });
    const response = await app.inject('/');
    expect(response.headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(response.body).toContain('/docs');
  });
});
