import { describe, expect, it, onTestFinished } from 'vitest';
import { readConfig } from './config/read-config.ts';
import { startServer } from './start-server.ts';
import { startFixture } from './testing/fixture.ts';

/** A server as an operator starts it. */
async function start(env: Record<string, string> = {}) {
  const config = readConfig({ env: { WHIRL_API_PORT: '0', WHIRL_PROXIES: '127.0.0.1:1', ...env } });
  const running = await startServer({ ...config, demo: undefined });
  onTestFinished(() => running.close());
  const post = async (path: string, body: unknown) => {
    const response = await fetch(`${running.url}/api/v1/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const { error, message } = (await response.json()) as { error?: string; message?: string };
    return { status: response.status, error, message };
  };
  return { post, running };
}

const metadata = [
  '169.254.169.254',
  '0xa9fea9fe',
  '0251.0376.0251.0376',
  '[::ffff:169.254.169.254]',
  '[64:ff9b::a9fe:a9fe]',
  '[fe80::1]',
  '[fd00:ec2::254]',
  'metadata.google.internal',
  'Metadata.Google.Internal.',
];

describe('A18 restrictions', () => {
  it('A18 link-local and metadata addresses are neither proxies nor targets', async () => {
    const { post } = await start();
    for (const host of metadata) {
      expect(await post('request', { url: `http://${host}/latest` }), host).toMatchObject({
        status: 400,
        error: 'invalid_request',
        message: expect.stringMatching(/^the target .* is denied by /) as string,
      });
      const bare = host.replace(/\.$/, '');
      expect(await post('proxies', { url: `http://${bare}:80` }), host).toMatchObject({
        status: 400,
        error: 'invalid_proxy',
        message: expect.stringMatching(/^the proxy .* is denied by |one reading/) as string,
      });
    }
    const list = ['p1.test:80', `169.254.0.1:80`];
    expect(await post('proxies/import', list)).toMatchObject({
      status: 400,
      error: 'invalid_proxy',
    });
    expect(await post('proxies', { url: 'p1.test:80' })).toMatchObject({ status: 201 });
  });

  it('A18 an operator adds to what is denied, or sets none', () => {
    const deny = (WHIRL_DENY_TARGETS: string) =>
      readConfig({ env: { WHIRL_DENY_TARGETS } }).deny as Record<'proxies' | 'targets', string[]>;
    expect(deny('*.internal,10.0.0.0/8').targets).toContain('169.254.0.0/16');
    expect(deny('*.internal,10.0.0.0/8').targets).toContain('10.0.0.0/8');
    expect(deny('none,*.internal').targets).toEqual(['*.internal']);
    expect(deny('none').proxies).toContain('169.254.0.0/16');
  });

  it('A18 allow lists admit nothing else', async () => {
    const { post } = await start({
      WHIRL_ALLOW_PROXIES: '127.0.0.0/8',
      WHIRL_ALLOW_TARGETS: 'api.test:443',
    });
    expect(await post('proxies', { url: 'p1.test:80' })).toMatchObject({ status: 400 });
    expect(await post('request', { url: 'https://api.test:444/' })).toMatchObject({
      status: 400,
      message: 'the target api.test:444 matches no rule of allow.targets',
    });
    expect((await post('request', { url: 'https://api.test/', retry_policy: null })).status).toBe(
      502,
    );
  });

  it('A18 the start stops at a rule that is none, and at a proxy that is denied', async () => {
    const env = { WHIRL_DENY_TARGETS: 'a.test,http://b.test', WHIRL_ALLOW_PROXIES: '10.0.0.0/99' };
    expect(() => readConfig({ env })).toThrow(
      /WHIRL_ALLOW_PROXIES must be hosts .*\nWHIRL_DENY_TARGETS must be hosts .* or none/,
    );
    await expect(start({ WHIRL_PROXIES: '169.254.1.1:80' })).rejects.toThrow(
      'the proxy 169.254.1.1:80 is denied by 169.254.0.0/16 (deny.proxies)',
    );
  });

  it('A18 a rotator of its own has no rules', async () => {
    const { send } = await startFixture();
    expect((await send('POST', '/api/v1/proxies', { url: '169.254.1.1:80' })).statusCode).toBe(201);
  });
});
