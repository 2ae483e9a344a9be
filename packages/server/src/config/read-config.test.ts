import { describe, expect, it } from 'vitest';
import { ConfigError } from '../config-error.ts';
import { withDefaults } from './denied-by-default.ts';
import { readConfig, type ConfigSources } from './read-config.ts';
import { settings } from './settings.ts';

const issuesOf = (sources: ConfigSources): readonly string[] => {
  try {
    readConfig(sources);
  } catch (error) {
    if (error instanceof ConfigError) return error.issues;
    throw error;
  }
  return [];
};
const fromFile = (content: unknown, env = {}) => ({
  env: { WHIRL_CONFIG: '/etc/whirl/config.json', ...env },
  readFile: () => JSON.stringify(content),
});

describe('A9 configuration', () => {
  it('A9 without anything: loopback, port 8000, the demo fleet', () => {
    expect(readConfig({})).toEqual({
      api: {
        host: '127.0.0.1',
        port: 8000,
        token: undefined,
        allowedHosts: [],
        trustProxy: [],
        dashboard: true,
      },
      proxies: [],
      proxiesFile: undefined,
      proxiesList: { format: undefined, defaultProtocol: undefined, onInvalid: undefined },
      demo: true,
      allow: { proxies: undefined, targets: undefined },
      deny: { proxies: withDefaults(), targets: withDefaults() },
      gateway: { host: '127.0.0.1', port: 8001, auth: [], optional: true },
      logLevel: 'info',
      shutdownTimeoutMs: 5000,
      redisUrl: undefined,
      fleetPool: 'default',
      retryPolicy: undefined,
      circuitBreaker: undefined,
      warnings: [],
    });
  });

  it('A9 flags win over the environment, the environment over the file, the file over defaults', () => {
    const file = { api_port: 1, log_level: 'debug', shutdown_timeout: 1.5 };
    const sources = fromFile(file, { WHIRL_API_PORT: '2', WHIRL_LOG_LEVEL: 'warn' });
    const flags = { port: '3' };
    expect(readConfig({ ...sources, flags })).toMatchObject({
      api: { port: 3, host: '127.0.0.1' },
      logLevel: 'warn',
      shutdownTimeoutMs: 1500,
    });
    expect(readConfig({ ...sources, flags: { config: 'x.json' } }).api).toMatchObject({ port: 2 });
  });

  it('A9 a program has its own defaults, and its own names for flags', () => {
    const defaults = { logLevel: 'warn', gatewayPort: 9001 };
    const flagNames = { gatewayHost: '--gateway', gatewayAuth: '--gateway-auth' };
    const env = { WHIRL_LOG_LEVEL: 'error' };
    expect(readConfig({ defaults }).logLevel).toBe('warn');
    expect(readConfig({ defaults, env })).toMatchObject({
      gateway: { port: 9001, optional: false },
      logLevel: 'error',
    });
    expect(issuesOf({ flags: { gatewayHost: 'a b' }, flagNames })[0]).toMatch(/^--gateway must be/);
    expect(issuesOf({ flags: { gatewayHost: '0.0.0.0' }, flagNames })).toEqual([
      'the gateway\'s host "0.0.0.0" can be reached from other machines: set --gateway-auth or ' +
        'WHIRL_GATEWAY_AUTH_FILE, or bind 127.0.0.1',
    ]);
  });

  it('A9 the API can be switched off, and then needs no token; with the gateway nothing is left', () => {
    const env = { WHIRL_API: 'off', WHIRL_API_HOST: '0.0.0.0' };
    expect(readConfig({ env }).api).toBe(false);
    expect(issuesOf({ env: { ...env, WHIRL_GATEWAY: 'off' } })).toEqual([
      'WHIRL_API and WHIRL_GATEWAY are both off: nothing to serve',
    ]);
  });

  it('A9 a fleet: the URL of a server, which no message shows, and the name of a pool', () => {
    const env = { WHIRL_REDIS_URL: 'redis://:secret@127.0.0.1:6379/1', WHIRL_FLEET_POOL: 'eu-1' };
    expect(readConfig({ env })).toMatchObject({ redisUrl: env.WHIRL_REDIS_URL, fleetPool: 'eu-1' });
    expect(
      issuesOf({ env: { WHIRL_REDIS_URL: 'http://:secret@127.0.0.1', WHIRL_FLEET_POOL: 'a b' } }),
    ).toEqual([
      'WHIRL_REDIS_URL must be a URL that begins with redis:// or rediss://',
      'WHIRL_FLEET_POOL must be 1 to 200 characters without spaces and braces, got "a b"',
    ]);
  });

  it('A9 a value in the wrong place is not shown where it may hold a password', () => {
    const url = 'http://ann:secret@h/ x';
    const missing = () => {
      throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
    };
    const env = { WHIRL_GATEWAY: url, WHIRL_DENY_TARGETS: url, WHIRL_CONFIG: url };
    expect([...issuesOf({ env, readFile: missing })].sort()).toEqual([
      'WHIRL_CONFIG: cannot read a path that looks like a URL (ENOENT)',
      expect.stringMatching(/^WHIRL_DENY_TARGETS must be .*, got a string$/),
      'WHIRL_GATEWAY must be on or off, got a string',
    ]);
    const file = fromFile({ gateway: { auth: ['ann:secret'] } });
    expect(issuesOf(file)).toEqual([
      '/etc/whirl/config.json: gateway must be on or off, got an object',
    ]);
  });

  it('A9 an empty variable is unset', () => {
    const env = Object.fromEntries(Object.values(settings).map(({ variable }) => [variable, ' ']));
    expect(readConfig({ env: { ...env, WHIRL_CONFIG: '' } })).toEqual(readConfig({}));
  });

  it('A9 all wrong fields are reported at once, each under the name it was written by', () => {
    const sources = fromFile(
      { api_token: 'two words', dashboard: 'perhaps', colour: 'red', proxies: [7] },
      { WHIRL_API_PORT: '70000', WHIRL_DEMO: 'maybe', WHIRL_SHUTDOWN_TIMEOUT: '-1' },
    );
    const issues = issuesOf({ ...sources, flags: { logLevel: 'loud' } });
    expect(issues).toEqual([
      '/etc/whirl/config.json: unknown field "colour"',
      'WHIRL_API_PORT must be an integer from 0 to 65535, got "70000"',
      '/etc/whirl/config.json: api_token must be printable ASCII without spaces',
      '/etc/whirl/config.json: proxies must be proxies separated by commas (in a file: a list)',
      'WHIRL_DEMO must be on or off, got "maybe"',
      '/etc/whirl/config.json: dashboard must be on or off, got "perhaps"',
      expect.stringMatching(/^--log-level must be one of trace, .*, got "loud"$/),
      'WHIRL_SHUTDOWN_TIMEOUT must be a number of seconds from 0 to 3600, got "-1"',
    ]);
  });

  it.each([
    ['WHIRL_API_PORT', ['1.5', '65536', '-1', '0x50', 'http', '1e3']],
    ['WHIRL_API_HOST', ['a b', 'http://localhost', '-x']],
    ['WHIRL_SHUTDOWN_TIMEOUT', ['3601', 'NaN', 'Infinity', 'soon']],
    ['WHIRL_DASHBOARD', ['2', 'nope']],
    ['WHIRL_API_TOKEN', ['two words', 'grün']],
    ['WHIRL_API_ALLOWED_HOSTS', ['a:80', 'a b', '*']],
    ['WHIRL_TRUST_PROXY', ['nginx', '10.0.0.0/33', '0.0.0.0/0', '10.0.0.0/', '1.2.3.4/8/8']],
  ])('A9 %s refuses each of %j', (name, values) => {
    for (const value of values) expect(issuesOf({ env: { [name]: value } })[0]).toContain(name);
  });

  it('A9 every wrong proxy is named, none with its password', () => {
    const issues = issuesOf({
      env: { WHIRL_PROXIES: 'http://ok:1,ftp://bob:hunter2@h:1, p:99999' },
    });
    expect(issues).toHaveLength(2);
    expect(issues.join()).toMatch(/WHIRL_PROXIES.*ftp.*WHIRL_PROXIES.*p:99999/);
    expect(issues.join()).not.toContain('hunter2');
  });

  it('A4c how the proxies file is read is set like everything else, and a wrong format is not shown', () => {
    const env = {
      WHIRL_PROXIES_FORMAT: 'host:port:region',
      WHIRL_PROXIES_DEFAULT_PROTOCOL: 'socks5',
      WHIRL_PROXIES_ON_INVALID: 'skip',
    };
    const list = { format: 'host:port:region', defaultProtocol: 'socks5', onInvalid: 'skip' };
    expect(readConfig({ env }).proxiesList).toEqual(list);
    expect(
      readConfig(
        fromFile({
          proxies_format: 'host:port:region',
          proxies_default_protocol: 'socks5',
          proxies_on_invalid: 'skip',
        }),
      ).proxiesList,
    ).toEqual(list);
    const flags = { proxiesFormat: 'records', proxiesOnInvalid: 'throw' };
    expect(readConfig({ env, flags }).proxiesList).toMatchObject({
      format: 'records',
      onInvalid: 'throw',
    });
    const issues = issuesOf({
      env: {
        WHIRL_PROXIES_FORMAT: 'http://bob:hunter2@h:1',
        WHIRL_PROXIES_DEFAULT_PROTOCOL: 'ftp',
        WHIRL_PROXIES_ON_INVALID: 'drop',
      },
    });
    expect(issues).toHaveLength(3);
    expect(issues[0]).toMatch(/^WHIRL_PROXIES_FORMAT must be records, proxychains, .* template/);
    expect(issues[1]).toMatch(/^WHIRL_PROXIES_DEFAULT_PROTOCOL must be one of http, .*got "ftp"$/);
    expect(issues[2]).toBe('WHIRL_PROXIES_ON_INVALID must be throw or skip, got "drop"');
    expect(issues.join()).not.toContain('hunter2');
  });

  it('A9 proxies turn the demo fleet off', () => {
    expect(readConfig({ env: { WHIRL_PROXIES: 'p:1,\n p:2' } })).toMatchObject({
      proxies: ['p:1', 'p:2'],
      demo: false,
    });
    expect(readConfig({ env: { WHIRL_PROXIES_FILE: 'list.txt' } }).demo).toBe(false);
    expect(readConfig({ flags: { demo: false } }).demo).toBe(false);
  });

  it('A12 the demo is refused beside proxies: neither traffic may leave through the other', () => {
    const why =
      'requests would take proxies that reach the demo alone, and the traffic of the demo yours';
    const env = { WHIRL_DEMO: 'on' };
    expect(issuesOf({ env: { ...env, WHIRL_PROXIES: 'p:1' } })).toEqual([
      `WHIRL_DEMO and WHIRL_PROXIES exclude each other: ${why}`,
    ]);
    expect(issuesOf({ flags: { demo: true }, env: { WHIRL_PROXIES_FILE: 'list.txt' } })).toEqual([
      `--demo and WHIRL_PROXIES_FILE exclude each other: ${why}`,
    ]);
    expect(readConfig({ env }).demo).toBe(true);
  });

  it('A9 unknown variables are warned about', () => {
    const { warnings } = readConfig({
      env: { WHIRL_TEAM_CONTACT: '1', WHIRL_TYPO: '1', WHIRLPOOL: '1', WHIRL_DEMO: '' },
    });
    expect(warnings).toEqual([
      'unknown variable WHIRL_TEAM_CONTACT is ignored',
      'unknown variable WHIRL_TYPO is ignored',
    ]);
  });

  it.each([
    ['WHIRL_API_PROT', 'WHIRL_API_PORT'],
    ['WHIRL_PROXY', 'WHIRL_PROXIES'],
    ['WHIRL_PROXY_FILE', 'WHIRL_PROXIES_FILE'],
    ['WHIRL_PROXIES_FLIE', 'WHIRL_PROXIES_FILE'],
    ['WHIRL-PROXIES', 'WHIRL_PROXIES'],
    ['whirl_proxies', 'WHIRL_PROXIES'],
    ['WHIRL_API_TOKENFILE', 'WHIRL_API_TOKEN_FILE'],
    ['WHIRL_TOKEN', 'WHIRL_API_TOKEN'],
    ['WHIRL_PORT', 'WHIRL_API_PORT'],
    ['WHIRL_ALLOWED_HOSTS', 'WHIRL_API_ALLOWED_HOSTS'],
    ['WHIRL_PROXY_LIST', 'WHIRL_PROXIES'],
    ['WHIRL_API_PROXIES', 'WHIRL_PROXIES'],
    ['WHRIL_PROXIES', 'WHIRL_PROXIES'],
    ['WIRL_PROXIES_FILE', 'WHIRL_PROXIES_FILE'],
  ])('A12 %s, a misspelt %s, stops the start', (name, meant) => {
    expect(issuesOf({ env: { [name]: 'x' } })).toEqual([
      `unknown variable ${name}: did you mean ${meant}?`,
    ]);
  });

  it('A12 what Kubernetes sets for Services called whirl and whirl-proxies stops nothing', () => {
    const env = {
      WHIRL_PORT: 'tcp://10.0.0.1:8000',
      WHIRL_PORT_8000_TCP_PORT: '8000',
      WHIRL_PROXIES_SERVICE_HOST: '10.0.0.2',
      WHIRL_PROXIES_SERVICE_PORT_HTTP: '80',
      WHIRL_SERVICE_HOST: '10.0.0.1',
    };
    expect(readConfig({ env }).warnings).toEqual(
      Object.keys(env).map((name) => `unknown variable ${name} is ignored`),
    );
  });

  it('A9 the file may hold what is not one word: a retry policy and the circuit', () => {
    const good = readConfig(
      fromFile({
        proxies: ['p:1'],
        retry_policy: { max_attempts: 5, timeout: 9 },
        circuit_breaker: { failure_threshold: 3, timeout_duration: 10 },
      }),
    );
    expect(good.retryPolicy).toMatchObject({ maxAttempts: 5, timeoutMs: 9000 });
    expect(good.circuitBreaker).toEqual({
      failureThreshold: 3,
      windowMs: undefined,
      openMs: 10_000,
    });
    expect(issuesOf(fromFile({ retry_policy: { max_attempts: 50, nope: 1 } }))).toEqual([
      expect.stringContaining('config.json: retry_policy.max_attempts: '),
      '/etc/whirl/config.json: retry_policy.nope: unknown field',
    ]);
  });

  it('A9 paths in the file are relative to the file', () => {
    expect(readConfig(fromFile({ proxies_file: 'list.txt' })).proxiesFile).toBe(
      '/etc/whirl/list.txt',
    );
  });

  it.each([
    ['[]', /must hold a JSON object/],
    ['{"api_token": "hunter2",', /is not JSON$/],
  ])('A9 a file that holds %s is refused, without its content', (content, message) => {
    const issues = issuesOf({ env: { WHIRL_CONFIG: 'c.json' }, readFile: () => content });
    expect(issues).toHaveLength(1);
    expect(issues[0]).toMatch(message);
    expect(issues[0]).not.toContain('hunter2');
  });

  it('A9 a file that is not there is refused by name', () => {
    expect(issuesOf({ flags: { config: '/no/such/file.json' } })).toEqual([
      '--config: cannot read "/no/such/file.json" (ENOENT)',
    ]);
    expect(issuesOf({ env: { WHIRL_CONFIG: '/no/such/file.json' } })).toEqual([
      'WHIRL_CONFIG: cannot read "/no/such/file.json" (ENOENT)',
    ]);
  });

  it('A8 an address that others reach is refused without a token', () => {
    for (const host of ['0.0.0.0', '::', '10.0.0.1', 'whirl.example.com']) {
      const env = { WHIRL_API_HOST: host };
      expect(issuesOf({ env })[0]).toMatch(/set WHIRL_API_TOKEN or WHIRL_API_TOKEN_FILE/);
      expect(readConfig({ env: { ...env, WHIRL_API_TOKEN: 'secret' } }).api).toMatchObject({
        host,
      });
    }
    for (const host of ['127.0.0.1', 'localhost', '::1', '[::1]', '127.0.0.2']) {
      expect(issuesOf({ env: { WHIRL_API_HOST: host } })).toEqual([]);
    }
  });

  it('A9 the token may stand in a file; an empty one is refused', () => {
    const env = { WHIRL_API_TOKEN_FILE: '/run/secrets/token' };
    expect(readConfig({ env, readFile: () => ' s3cret\n' }).api).toMatchObject({
      token: 's3cret',
    });
    expect(issuesOf({ env, readFile: () => '\n' })).toEqual([
      'WHIRL_API_TOKEN_FILE: the token in it must be printable ASCII without spaces',
    ]);
    expect(issuesOf({ env: { ...env, WHIRL_API_TOKEN: 'x' }, readFile: () => 'y' })).toEqual([
      'WHIRL_API_TOKEN and WHIRL_API_TOKEN_FILE exclude each other: set one of them',
    ]);
    const flags = { tokenFile: '/other' };
    expect(
      readConfig({ flags, env: { WHIRL_API_TOKEN: 'x' }, readFile: () => 'from-file' }).api,
    ).toMatchObject({ token: 'from-file' });
  });
});
