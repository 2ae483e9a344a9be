import { PassThrough, Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { readProxies } from './read-pool.ts';

it('L2 proxies that are named and 300,000 of a file are one list, in this order', async () => {
  const lines = Array.from(
    { length: 300_000 },
    (_, i) => `192.0.2.${i % 5}:${1 + Math.floor(i / 5)}`,
  );
  const proxies = await readProxies(
    { proxies: ['h1.test:1,h2.test:2', 'h3.test:3'], proxiesFile: '-', protocol: 'http' },
    {
      stdin: Readable.from([lines.join('\n')]),
      ...{ stdout: new PassThrough(), stderr: new PassThrough(), onStop: () => () => {} },
    },
  );
  expect(proxies.slice(0, 4).map(({ port }) => port)).toEqual([1, 2, 3, 1]);
  expect(proxies).toHaveLength(300_003);
});
