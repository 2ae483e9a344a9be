import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { readEvents } from '../../../packages/server/src/testing/event-reader.ts';
import { freePort, startProgram, temporaryFolder } from './programs.ts';

const token = 'correct-horse-battery';
const name = 'whirl.example.com';
const deploy = path.join(import.meta.dirname, '../deploy');

/** The server as an operator starts it behind a reverse proxy, from the built files. */
async function startWhirl(): Promise<number> {
  const port = await freePort();
  const server = path.join(import.meta.dirname, '../dist/server.js');
  await startProgram(process.execPath, [server, '--port', String(port)], port, {
    WHIRL_DEMO: 'off',
    WHIRL_API_TOKEN: token,
    WHIRL_TRUST_PROXY: '127.0.0.1',
    WHIRL_API_ALLOWED_HOSTS: name,
  });
  return port;
}

/** nginx with the server block of the documentation; only ports and TLS differ. */
async function startNginx(whirlPort: number): Promise<number> {
  const port = await freePort();
  const folder = temporaryFolder();
  const block = fs
    .readFileSync(path.join(deploy, 'nginx.conf'), 'utf8')
    .replace('listen 443 ssl;', `listen 127.0.0.1:${port};`)
    .replaceAll(/^ *ssl_.*$/gm, '')
    .replace('127.0.0.1:8000', `127.0.0.1:${whirlPort}`);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((each) => `${each}_temp_path ${folder}/${each};`)
    .join('\n');
  const config = path.join(folder, 'nginx.conf');
  fs.writeFileSync(
    config,
    `daemon off;\npid ${folder}/pid;\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\n${temporary}\n${block}\n}\n`,
  );
  await startProgram('nginx', ['-c', config, '-p', folder, '-e', 'stderr'], port);
  return port;
}

/** Caddy with the Caddyfile of the documentation; only ports and TLS differ. */
async function startCaddy(whirlPort: number): Promise<number> {
  const port = await freePort();
  const folder = temporaryFolder();
  const file = fs
    .readFileSync(path.join(deploy, 'Caddyfile'), 'utf8')
    .replace(`${name} {`, `http://${name}:${port} {\n\tbind 127.0.0.1`)
    .replace('127.0.0.1:8000', `127.0.0.1:${whirlPort}`);
  const config = path.join(folder, 'Caddyfile');
  fs.writeFileSync(config, `{\n\tadmin off\n\tauto_https off\n\tgrace_period 1s\n}\n${file}`);
  const args = ['run', '--config', config, '--adapter', 'caddyfile'];
  await startProgram('caddy', args, port, { HOME: folder, XDG_DATA_HOME: folder });
  return port;
}

interface Asked {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  /** The loopback address that asks. */
  readonly from?: string;
}

/** Asks the reverse proxy under the public name; resolves with status and body. */
function ask(port: number, url: string, { method = 'GET', headers, body, from }: Asked = {}) {
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    const request = http.request(
      {
        host: '127.0.0.1',
        port,
        path: url,
        method,
        localAddress: from,
        agent: false,
        headers: { host: `${name}:${port}`, ...headers },
      },
      async (response) => {
        let text = '';
        for await (const chunk of response) text += String(chunk);
        resolve({ status: response.statusCode ?? 0, text });
      },
    );
    request.on('error', reject).end(body);
  });
}

const bearer = (value: string) => ({ authorization: `Bearer ${value}` });

describe.each([
  ['nginx', startNginx],
  ['Caddy', startCaddy],
])('A14 behind %s', (_, start) => {
  it('A14 the page, the documentation, writes and events work, and clients are told apart', async () => {
    const port = await start(await startWhirl());
    const page = await ask(port, '/');
    expect([page.status, page.text]).toEqual([200, expect.stringContaining('<html')]);
    const basic = `Basic ${Buffer.from(`me:${token}`).toString('base64')}`;
    const docs = await ask(port, '/docs/', { headers: { authorization: basic } });
    expect(docs.status).toBe(200);

    const events = await readEvents(`http://127.0.0.1:${port}/api/v1/events`, {
      host: `${name}:${port}`,
      ...bearer(token),
    });
    const added = events.next('proxy:added');
    const write = await ask(port, '/api/v1/proxies/import', {
      method: 'POST',
      headers: {
        ...bearer(token),
        'content-type': 'text/plain',
        origin: `http://${name}:${port}`,
      },
      body: '192.0.2.1:8080',
    });
    expect(write).toMatchObject({ status: 201 });
    expect((await added).data).toMatchObject({ proxy_id: '192.0.2.1:8080' });
    events.close();

    const foreign = { ...bearer(token), origin: 'https://evil.example' };
    const refused = await ask(port, '/api/v1/proxies/import', { method: 'POST', headers: foreign });
    expect(refused.status).toBe(403);

    const guess = (value: string, from: string) =>
      ask(port, '/api/v1/status', {
        from,
        // A client cannot pretend to be another.
        headers: { ...bearer(value), 'x-forwarded-for': '192.0.2.9' },
      });
    for (let i = 0; i < 20; i++) await guess(`guess${i}`, '127.0.0.2');
    expect((await guess('guess', '127.0.0.2')).status).toBe(429);
    expect((await guess('guess', '127.0.0.3')).status).toBe(401);
    expect((await guess(token, '127.0.0.2')).status).toBe(200);
  });
});
