import { fileURLToPath } from 'node:url';
import { createGateway } from '@whirl/gateway';
import { ProxyRotator } from '@whirl/rotator';
import { typeCheck } from '@whirl/testkit/readme-snippets';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDyingProxies } from './dying-proxies.ts';
import { readRecipes } from './recipes.ts';
import { run, type Ended } from './run-recipe.ts';
import { startShop, stock, type Shop } from './shop.ts';
import { trust, type Trust } from './trust.ts';

const recipes = readRecipes();
const gatewayAddress = '127.0.0.1:8001';
const listOfProxies = /proxies: \[[^\]]*\]/;

let shop: Shop;
let trusted: Trust;

beforeAll(async () => {
  shop = await startShop();
  trusted = trust(shop.ca);
});

afterAll(async () => {
  trusted.remove();
  await shop.close();
});

it('the page has a recipe for every client', () => {
  expect(new Set(recipes.map(({ name }) => name.split(' #')[0]))).toEqual(
    new Set([
      'curl',
      'Python urllib',
      'Python requests',
      'Chromium',
      'Playwright',
      'Puppeteer',
      'Crawlee',
      'undici ProxyAgent',
      'node:https',
      'got',
      'axios',
      'node-fetch',
      'ws',
      'AWS SDK',
    ]),
  );
});

it('the recipes in TypeScript compile', () => {
  // As files of this workspace, where their imports are found.
  const path = fileURLToPath(new URL('../clients.md', import.meta.url));
  typeCheck(
    path,
    recipes.flatMap((recipe) =>
      recipe.language === 'ts' ? [{ ...recipe, language: 'ts' as const }] : [],
    ),
  );
});

const throughGateway = recipes.filter(({ code }) => code.includes(gatewayAddress));
const throughAgents = recipes.filter(({ code }) => code.includes('agents'));

it('each recipe is one for the gateway or one for agents', () => {
  expect(throughGateway.length + throughAgents.length).toBe(recipes.length);
});

function expectSuccess({ code, stdout, stderr }: Ended): void {
  if (code !== 0 || !stdout.includes(stock)) {
    throw new Error(`the recipe exited with ${code}\n${stdout}\n${stderr}`);
  }
}

describe.concurrent('behind five dead proxies and one good one, through the gateway', () => {
  it.each(throughGateway)('$name sees no error', async (recipe) => {
    const proxies = await startDyingProxies(shop.targets);
    const rotator = new ProxyRotator({
      proxies: proxies.urls,
      retryPolicy: { maxAttempts: 10, attemptTimeoutMs: 2000, failoverDelay: 'none' },
    });
    const auth = recipe.code.includes(':secret@') ? ['ann:secret'] : undefined;
    // Browsers ask for addresses of their maker, too.
    const allow = ['*.example.com'];
    const gateway = createGateway(rotator, { port: 0, firstByteMs: 2000, auth, allow });
    const { port } = await gateway.listen();
    try {
      const code = recipe.code
        .replaceAll(gatewayAddress, `127.0.0.1:${port}`)
        .replaceAll('/usr/bin/chromium', trusted.browser);
      expectSuccess(await run({ ...recipe, code }, trusted.environment));
      expect(proxies.asked()).toBe(6);
      expect(gateway.stats()).toMatchObject({ failed: 0, lost: 0 });
    } finally {
      await gateway.close({ graceMs: 0 });
      await rotator.destroy();
      await proxies.close();
    }
  });
});

describe.concurrent('behind five dead proxies and one good one, through agents', () => {
  it.each(throughAgents)('$name sees no error', async (recipe) => {
    const proxies = await startDyingProxies(shop.targets);
    try {
      const code = recipe.code.replace(
        listOfProxies,
        () => `proxies: ${JSON.stringify(proxies.urls)}`,
      );
      expectSuccess(await run({ ...recipe, code }, trusted.environment));
      expect(proxies.asked()).toBe(6);
    } finally {
      await proxies.close();
    }
  });
});
