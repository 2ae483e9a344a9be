import { parseProxy, type ProxyInput } from '@whirl/rotator';

export interface Config {
  readonly host: string;
  readonly port: number;
  readonly proxies: readonly ProxyInput[];
  readonly demo: boolean;
  readonly logLevel: string;
  readonly shutdownTimeoutMs: number;
  readonly warnings: readonly string[];
}

const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];
const names = [
  'WHIRL_API_HOST',
  'WHIRL_API_PORT',
  'WHIRL_PROXIES',
  'WHIRL_DEMO',
  'WHIRL_LOG_LEVEL',
  'WHIRL_SHUTDOWN_TIMEOUT',
];
const loopback = ['127.0.0.1', 'localhost', '::1'];

/** Every wrong variable, reported at once. */
export class ConfigError extends Error {}

/** Reads the environment. An empty variable is unset. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const wrong: string[] = [];
  const read = (name: string) => (env[name] === '' ? undefined : env[name]);
  const number = (name: string, fallback: number, max: number) => {
    const text = read(name);
    if (text === undefined) return fallback;
    const value = Number(text);
    if (!Number.isFinite(value) || value < 0 || value > max) {
      wrong.push(`${name} must be a number from 0 to ${max}, got "${text}"`);
    }
    return value;
  };
  const host = read('WHIRL_API_HOST') ?? '127.0.0.1';
  if (!loopback.includes(host)) {
    wrong.push(`WHIRL_API_HOST must be one of ${loopback.join(', ')}, got "${host}"`);
  }
  const port = number('WHIRL_API_PORT', 8000, 65_535);
  if (!Number.isInteger(port)) wrong.push(`WHIRL_API_PORT must be an integer, got "${port}"`);
  const logLevel = read('WHIRL_LOG_LEVEL') ?? 'info';
  if (!levels.includes(logLevel)) {
    wrong.push(`WHIRL_LOG_LEVEL must be one of ${levels.join(', ')}, got "${logLevel}"`);
  }
  const proxies = (read('WHIRL_PROXIES') ?? '')
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
  for (const proxy of proxies) {
    try {
      parseProxy(proxy);
    } catch (error) {
      wrong.push(`WHIRL_PROXIES: ${(error as Error).message}`);
    }
  }
  const demoText = read('WHIRL_DEMO');
  if (demoText !== undefined && !/^(true|false|1|0|on|off)$/.test(demoText)) {
    wrong.push(`WHIRL_DEMO must be true or false, got "${demoText}"`);
  }
  const demo = demoText === undefined ? proxies.length === 0 : /^(true|1|on)$/.test(demoText);
  const shutdownTimeoutMs = number('WHIRL_SHUTDOWN_TIMEOUT', 5, 3600) * 1000;
  if (wrong.length > 0) throw new ConfigError(wrong.join('\n'));
  const warnings = Object.keys(env)
    .filter((name) => name.startsWith('WHIRL_') && !names.includes(name))
    .map((name) => `unknown variable ${name}`);
  return { host, port, proxies, demo, logLevel, shutdownTimeoutMs, warnings };
}
