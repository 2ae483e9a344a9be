import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installed, packAll, run, tarballsFor } from './packed.ts';

let folder: string;
let tarballs: string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'whirl-fetch-options-'));
  tarballs = tarballsFor('@whirl/rotator', await packAll(folder));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** The line of a page that shows a fetch through the pool. */
async function lineOf(path: string): Promise<string> {
  const found = /fetch\([^()]*rotator\.fetchOptions\(\)\)/.exec(await readFile(file(path), 'utf8'));
  if (found === null) throw new Error(`${path} shows no fetch with rotator.fetchOptions()`);
  return found[0];
}

describe('F16i the lines of the README and of the guide compile without a cast', () => {
  it.each([
    ['@types/node@20', ['es2022']],
    ['@types/node@22', ['es2022']],
    ['@types/node@24', ['es2022']],
    ['@types/node@22', ['es2022', 'dom']],
  ])('under %s and lib %s', async (types, lib) => {
    const project = join(folder, `${types.replace(/\W/g, '-')}-${lib.join('-')}`);
    await installed(project, [...tarballs, types]);
    const lines = [
      await lineOf('../../../README.md'),
      await lineOf('../../../docs/guides/fetch.md'),
    ];
    await writeFile(
      join(project, 'module.mts'),
      `import { ProxyRotator } from '@whirl/rotator';
      const rotator = new ProxyRotator();
      const url = 'http://127.0.0.1/';
      export const responses: Promise<Response>[] = [${lines.join(', ')}];
      export const posted: Promise<Response> = fetch(
        url,
        rotator.fetchOptions({ method: 'POST', body: 'x', region: 'EU', retryPolicy: null }),
      );
      // @ts-expect-error an option of the pool that does not exist
      rotator.fetchOptions({ regoin: 'EU' });`,
    );
    for (const version of ['5.5', '6.0']) {
      const compiler = file(`../node_modules/typescript-${version}/bin/tsc`);
      const options = ['--noEmit', '--strict', '--skipLibCheck', '--target', 'es2022'];
      options.push('--module', 'nodenext', '--types', 'node', '--lib', lib.join(','));
      expect(await run(project, process.execPath, compiler, ...options, 'module.mts')).toBe('');
    }
  });
});

/** The runtime beside Node, where it is installed: `WHIRL_BUN=/path/to/bun`, or `bun` on PATH. */
async function found(name: string): Promise<string | undefined> {
  const program = process.env[`WHIRL_${name.toUpperCase()}`] ?? name;
  try {
    await run(folder, program, '--version');
    return program;
  } catch {
    return undefined;
  }
}

describe('F16h other runtimes', () => {
  const consumer = `
    import http from 'node:http';
    import { ProxyRotator } from '@whirl/rotator';
    const listen = (server) =>
      new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server.address().port)));
    let direct = 0;
    const target = http.createServer((request, response) => {
      if (request.headers['x-through'] === undefined) direct++;
      let body = '';
      request.on('data', (chunk) => (body += chunk)).on('end', () => response.end(body || 'ok'));
    });
    const targetPort = await listen(target);
    const proxy = http.createServer((request, response) => {
      const { pathname } = new URL(request.url);
      const headers = { ...request.headers, 'x-through': '1' };
      const options = { port: targetPort, host: '127.0.0.1', path: pathname, headers };
      const upstream = http.request({ ...options, method: request.method }, (answer) => {
        response.writeHead(answer.statusCode);
        answer.pipe(response);
      });
      request.pipe(upstream);
    });
    const url = 'http://127.0.0.1:' + targetPort + '/';
    const rotator = new ProxyRotator({
      proxies: ['http://127.0.0.1:' + (await listen(proxy))],
      retryPolicy: null,
    });
    const form = new FormData();
    form.append('field', 'value');
    const got = await rotator.get(url);
    const posted = await rotator.post(url, { body: 'posted' });
    const fetched = await rotator.fetch(url);
    const sent = await rotator.fetch(url, { method: 'POST', body: form });
    console.log(
      await got.body.text(),
      await posted.body.text(),
      await fetched.text(),
      fetched instanceof Response,
      /name="field"/.test(await sent.text()),
      direct,
    );
    await rotator.destroy();
    process.exit(0);`;

  it.each([
    ['node', []],
    ['bun', ['run']],
    ['deno', ['run', '--allow-all', '--no-lock']],
  ])('%s: verbs and rotator.fetch go through the pool', async (name, options) => {
    const program = name === 'node' ? process.execPath : await found(name);
    if (program === undefined) {
      // oxlint-disable-next-line no-console -- what was not tested is said
      console.log(`${name} is not installed: what works under it was not tested`);
      return;
    }
    const project = await installed(join(folder, name), tarballs);
    await writeFile(join(project, 'consumer.mjs'), consumer);
    const printed = await run(project, program, ...options, 'consumer.mjs');
    expect(printed).toBe('ok posted ok true true 0\n');
  });
});
