import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../dist/', import.meta.url));

/** The addresses of all pages, without the one for what is not found. */
export function htmlPages(): string[] {
  if (!existsSync(folder))
    throw new Error('no site in apps/site/dist: npm run docs:site builds it');
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.html') && name !== '404.html' && !name.startsWith('files'))
    .map((name) => `/${name.replaceAll(path.sep, '/')}`)
    .sort();
}

const fileAt = (address: string) => path.join(folder, decodeURIComponent(address));

export const htmlOf = (address: string): string => readFileSync(fileAt(address), 'utf8');

/** Whether the site has something there: a page, an asset, a file that it offers. */
export const isThere = (address: string): boolean =>
  existsSync(fileAt(address.endsWith('/') ? `${address}index.html` : address));

const types: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  png: 'image/png',
  json: 'application/json',
  woff2: 'font/woff2',
};

export interface SiteServer {
  readonly origin: string;
  close(): Promise<void>;
}

/** Serves the built site on loopback, as any server of files does. */
export async function serveSite(): Promise<SiteServer> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://site.invalid');
    const address = pathname.endsWith('/') ? `${pathname}index.html` : pathname;
    const file = fileAt(address);
    if (!file.startsWith(folder) || !existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    const type = types[path.extname(file).slice(1)] ?? 'text/plain; charset=utf-8';
    response.writeHead(200, { 'content-type': type }).end(readFileSync(file));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
