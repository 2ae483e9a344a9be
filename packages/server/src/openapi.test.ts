import { readFileSync } from 'node:fs';
import net from 'node:net';
import { describe, expect, it } from 'vitest';
import { conformanceOf } from './testing/conformance.ts';
import { startFixture } from './testing/fixture.ts';

describe('A7 the description of the API', () => {
  it('A7 /openapi.json is the committed openapi.json (pnpm openapi writes it)', async () => {
    const { app } = await startFixture();
    const served = (await app.inject('/openapi.json')).json<object>();
    const file = readFileSync(new URL('../openapi.json', import.meta.url), 'utf8');
    expect(served).toEqual(JSON.parse(file));
    expect(served).toMatchObject({ openapi: '3.1.0' });
  });

  it('A19 every success has a schema that is not empty, or no content at all', async () => {
    const { app } = await startFixture();
    const { operations } = conformanceOf(app);
    const successes = operations.flatMap(({ method, path, responses }) =>
      Object.entries(responses)
        .filter(([statusCode]) => statusCode.startsWith('2'))
        .map(([statusCode, { content }]) => ({ name: `${method} ${path} ${statusCode}`, content })),
    );
    expect(successes.length).toBeGreaterThan(20);
    for (const { name, content } of successes) {
      if (content === undefined) expect(name).toMatch(/ 204$/);
      for (const { schema } of Object.values(content ?? {})) {
        expect(Object.keys(schema), name).not.toEqual([]);
      }
    }
  });

  it('A7 /docs needs nothing from elsewhere and nothing inline', async () => {
    const { app } = await startFixture();
    const page = await app.inject('/docs/');
    expect(page.statusCode).toBe(200);
    expect(page.headers['content-security-policy']).toMatch(/default-src 'none';script-src 'self'/);
    const links = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link]) =>
      String(link),
    );
    expect(links.length).toBeGreaterThan(3);
    for (const link of links) {
      expect(link).toMatch(/^\.\/static\//);
      expect((await app.inject(`/docs/${link.slice(2)}`)).statusCode).toBe(200);
    }
    expect(page.body).not.toMatch(/<script>|<style|style=|onclick=/);
    const start = (await app.inject('/docs/static/swagger-initializer.js')).body;
    expect(start).toContain('"validatorUrl":null');
    expect(start.replace(/^ *\/\/.*$/gm, '')).not.toMatch(/https?:\/\//);
  });

  it.each([
    ['GET', '/nope'],
    ['GET', '/api/v1/nope'],
    ['DELETE', '/api/v1/retry/policy'],
    ['POST', '/metrics'],
    ['PUT', '/'],
    ['GET', '/docs/static/nope.js'],
    ['GET', '/api/v1/proxies/' + 'x'.repeat(1100)],
  ] as const)('A1 %s %s is a 404 in the one shape of errors', async (method, url) => {
    const { app } = await startFixture();
    const response = await app.inject({ method, url });
    expect(response.statusCode).toBe(404);
    const { error, message } = response.json<{ error: string; message: string }>();
    expect(error).toBe('not_found');
    expect(message).toMatch(/\w/);
  });

  it('A1 what is not HTTP gets a response in the one shape of errors', async () => {
    const { app } = await startFixture();
    const { hostname, port } = new URL(await app.listen({ port: 0 }));
    const answerTo = (text: string) =>
      new Promise<string>((resolve) => {
        const socket = net.connect(Number(port), hostname, () => socket.write(text));
        let answer = '';
        socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
        socket.on('close', () => resolve(answer));
      });
    const garbage = await answerTo('nonsense\r\n\r\n');
    expect(garbage).toMatch(/^HTTP\/1\.1 400 .*"error":"malformed_request"/s);
    const long = await answerTo(`GET / HTTP/1.1\r\nx-long: ${'x'.repeat(40_000)}\r\n\r\n`);
    expect(long).toMatch(/^HTTP\/1\.1 431 .*"error":"headers_too_large"/s);
  });

  it.each([
    ['{"max_attempts":', 'application/json', 400, 'invalid_json'],
    ['{"__proto__":{"x":1}}', 'application/json', 400, 'invalid_json'],
    ['<a/>', 'application/xml', 415, 'unsupported_media_type'],
    [`"${'x'.repeat(1024 * 1024)}"`, 'application/json', 413, 'body_too_large'],
    ['', 'application/json', 400, 'invalid_input'],
  ])('A1 a body %.20j of %s is a %i %s', async (payload, type, status, error) => {
    const { send } = await startFixture();
    const response = await send('PUT', '/api/v1/retry/policy', payload, { 'content-type': type });
    expect(response.statusCode).toBe(status);
    expect(response.json()).toMatchObject({ error });
  });
});
