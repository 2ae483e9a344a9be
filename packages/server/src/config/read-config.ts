import { readFileSync } from 'node:fs';
import path from 'node:path';
import { shown, shownPath } from '@whirl/check';
import { checkAuth } from '@whirl/gateway';
import type { AccessOptions } from '@whirl/rotator';
import { z } from 'zod';
import { isLoopback } from '../http/hosts.ts';
import { policyFromWire, policySchema } from '../wire/policy-wire.ts';
import { readProxy } from '../proxies/proxy-list.ts';
import type { ApiSettings, GatewaySettings, ServerOptions } from './server-options.ts';
import { fieldsOf } from '../http/validation.ts';
import { ConfigError } from '../config-error.ts';
import { demoStandsAlone } from './check-server-options.ts';
import { withDefaults } from './denied-by-default.ts';
import type { LogLevel } from './kinds.ts';
import { configVariable, settings, type SettingName } from './settings.ts';
import { judgeUnknownVariables } from './unknown-variables.ts';

type Decided = Required<Omit<ServerOptions, 'api' | 'gateway' | 'demo' | 'logger'>>;

/** What the server is to do, every field decided. */
export interface Config extends Decided {
  readonly api: Required<ApiSettings> | false;
  readonly gateway: Required<GatewaySettings> | false;
  readonly allow: AccessOptions;
  readonly deny: AccessOptions;
  readonly demo: boolean;
  readonly logLevel: LogLevel;
  /** What looks like a mistake, but harms nothing. */
  readonly warnings: readonly string[];
}

export interface ConfigSources {
  /** By setting; `config` is the path of the file. */
  readonly flags?: Readonly<Partial<Record<SettingName | 'config', unknown>>>;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** How the program calls a flag, where that is not the setting's own. */
  readonly flagNames?: Readonly<Partial<Record<SettingName, string>>>;
  /** What holds where nothing is said, and is not the setting's own default. */
  readonly defaults?: Readonly<Partial<Record<SettingName, unknown>>>;
  readonly readFile?: (path: string) => string;
}

/** What only the file can hold, because it is not one word. */
const structuredSchema = z.object({
  retry_policy: policySchema.optional(),
  circuit_breaker: z
    .strictObject({
      failure_threshold: z.int().min(1).max(100_000).optional(),
      window_duration: z.number().min(0.001).max(86_400).optional(),
      timeout_duration: z.number().min(0.001).max(86_400).optional(),
    })
    .optional(),
});

const ms = (seconds: number | undefined) => (seconds === undefined ? undefined : seconds * 1000);

/**
 * Flags win over the environment, the environment over the file, the file over the defaults. An
 * empty variable is unset. Throws `ConfigError` with every error at once.
 */
export function readConfig({
  flags = {},
  env = {},
  flagNames = {},
  defaults = {},
  readFile = (name) => readFileSync(name, 'utf8'),
}: ConfigSources): Config {
  const issues: string[] = [];
  const variable = (name: string) => (env[name]?.trim() === '' ? undefined : env[name]);
  const contentOf = (name: string, label: string) => {
    try {
      return readFile(name);
    } catch (error) {
      issues.push(
        `${label}: cannot read ${shownPath(name)} (${(error as { code?: string }).code})`,
      );
      return undefined;
    }
  };

  const given = flags.config ?? variable(configVariable);
  const configFile = typeof given === 'string' ? path.resolve(given) : undefined;
  const configLabel = flags.config === undefined ? configVariable : '--config';
  const file =
    configFile === undefined
      ? {}
      : parseFile(configFile, (name) => contentOf(name, configLabel), issues);
  const structured = structuredSchema.safeParse(file);
  if (!structured.success) {
    for (const [field, message] of Object.entries(fieldsOf(structured.error.issues))) {
      issues.push(`${configFile}: ${field}: ${message}`);
    }
  }

  const flagOf = (name: SettingName): string => {
    const setting = settings[name];
    return flagNames[name] ?? ('flag' in setting ? `--${setting.flag}` : '');
  };
  /** What an operator is told to set. */
  const nameOf = (name: SettingName) => flagNames[name] ?? settings[name].variable;
  /** The value that wins, and the name under which the operator wrote it. */
  const read = <Name extends SettingName>(name: Name) => {
    const setting = settings[name];
    const candidates = [
      { label: flagOf(name), value: flags[name] },
      { label: setting.variable, value: variable(setting.variable) },
      { label: `${configFile}: ${setting.field}`, value: file[setting.field] ?? undefined },
      { label: '', value: defaults[name] },
    ];
    const found = candidates.find(({ value }) => value !== undefined);
    if (found === undefined) return undefined;
    const value = setting.read(found.value) as ReturnType<(typeof settings)[Name]['read']>;
    if (value === undefined) {
      const got = 'secret' in setting ? '' : `, got ${shown(found.value)}`;
      issues.push(`${found.label} must be ${setting.expected}${got}`);
      return undefined;
    }
    return { value, label: found.label, rank: candidates.indexOf(found) };
  };
  /** A path in the file is relative to the file, any other to the working directory. */
  const resolved = (found: { value?: string | undefined; rank: number } | undefined) =>
    found?.value === undefined
      ? undefined
      : path.resolve(
          found.rank === 2 && configFile !== undefined ? path.dirname(configFile) : '.',
          found.value,
        );

  const apiOn = read('api')?.value ?? true;
  const host = read('host')?.value ?? '127.0.0.1';
  const port = read('port')?.value ?? 8000;
  const tokenGiven = read('token');
  const tokenFile = read('tokenFile');
  let token = tokenGiven?.value;
  if (tokenFile !== undefined && (tokenGiven === undefined || tokenFile.rank < tokenGiven.rank)) {
    const content = contentOf(resolved(tokenFile) ?? '', tokenFile.label);
    token = settings.token.read(content);
    if (content !== undefined && token === undefined) {
      issues.push(`${tokenFile.label}: the token in it must be ${settings.token.expected}`);
    }
  } else if (tokenFile !== undefined && tokenFile.rank === tokenGiven?.rank) {
    issues.push(`${tokenGiven.label} and ${tokenFile.label} exclude each other: set one of them`);
  }
  if (apiOn && !isLoopback(host) && tokenGiven === undefined && tokenFile === undefined) {
    issues.push(
      `the host "${host}" can be reached from other machines: set ${settings.token.variable} or ` +
        `${nameOf('tokenFile')}, or bind 127.0.0.1`,
    );
  }
  const gatewayHost = read('gatewayHost')?.value ?? '127.0.0.1';
  const gatewayPort = read('gatewayPort')?.value;
  const authGiven = read('gatewayAuth');
  const authFile = read('gatewayAuthFile');
  let gatewayAuth = authGiven?.value ?? [];
  if (authFile !== undefined && (authGiven === undefined || authFile.rank < authGiven.rank)) {
    const content = contentOf(resolved(authFile) ?? '', authFile.label);
    const lines = settings.gatewayAuth.read(content);
    if (content !== undefined && lines === undefined) {
      issues.push(`${authFile.label}: the lines in it must be name:password`);
    }
    gatewayAuth = lines ?? [];
  } else if (authFile !== undefined && authFile.rank === authGiven?.rank) {
    issues.push(`${authGiven.label} and ${authFile.label} exclude each other: set one of them`);
  }
  try {
    checkAuth(gatewayAuth, authGiven?.value === gatewayAuth ? authGiven.label : authFile?.label);
  } catch (error) {
    issues.push((error as Error).message);
  }
  const gatewayOn = read('gateway')?.value ?? true;
  if (gatewayOn && !isLoopback(gatewayHost) && authGiven === undefined && authFile === undefined) {
    issues.push(
      `the gateway's host "${gatewayHost}" can be reached from other machines: set ` +
        `${nameOf('gatewayAuth')} or ${nameOf('gatewayAuthFile')}, or bind 127.0.0.1`,
    );
  }
  const proxies = read('proxies');
  for (const proxy of proxies?.value ?? []) {
    try {
      readProxy(proxy);
    } catch (error) {
      issues.push(`${proxies?.label}: ${(error as Error).message}`);
    }
  }
  const proxiesFile = resolved(read('proxiesFile'));
  const demoGiven = read('demo');
  const demo = demoGiven?.value ?? (proxies === undefined && proxiesFile === undefined);
  const isListed = (proxies?.value.length ?? 0) > 0;
  if (demo && (isListed || proxiesFile !== undefined)) {
    const other = isListed ? proxies?.label : nameOf('proxiesFile');
    issues.push(`${demoGiven?.label} and ${other} exclude each other: ${demoStandsAlone}`);
  }
  const api = {
    host,
    port,
    token,
    allowedHosts: read('allowedHosts')?.value ?? [],
    trustProxy: read('trustProxy')?.value ?? [],
    dashboard: read('dashboard')?.value ?? true,
  };
  const gateway = {
    host: gatewayHost,
    port: gatewayPort ?? 8001,
    auth: gatewayAuth,
    // A second server on a machine starts without one, rather than not at all.
    optional: gatewayPort === undefined,
  };
  const config = {
    api: apiOn && api,
    gateway: gatewayOn && gateway,
    proxies: proxies?.value ?? [],
    proxiesFile,
    proxiesList: {
      format: read('proxiesFormat')?.value,
      defaultProtocol: read('proxiesDefaultProtocol')?.value,
      onInvalid: read('proxiesOnInvalid')?.value,
    },
    demo,
    allow: { proxies: read('allowProxies')?.value, targets: read('allowTargets')?.value },
    deny: {
      proxies: withDefaults(read('denyProxies')?.value),
      targets: withDefaults(read('denyTargets')?.value),
    },
    logLevel: read('logLevel')?.value ?? 'info',
    redisUrl: read('redisUrl')?.value,
    fleetPool: read('fleetPool')?.value ?? 'default',
    shutdownTimeoutMs: (read('shutdownTimeout')?.value ?? 5) * 1000,
  };
  if (!apiOn && !gatewayOn) {
    issues.push(`${nameOf('api')} and ${nameOf('gateway')} are both off: nothing to serve`);
  }
  const unknown = judgeUnknownVariables(env);
  issues.push(...unknown.issues);
  if (issues.length > 0 || !structured.success) throw new ConfigError(issues);
  const { retry_policy: policy, circuit_breaker: circuit } = structured.data;
  return {
    ...config,
    retryPolicy: policy && policyFromWire(policy),
    circuitBreaker: circuit && {
      failureThreshold: circuit.failure_threshold,
      windowMs: ms(circuit.window_duration),
      openMs: ms(circuit.timeout_duration),
    },
    warnings: unknown.warnings,
  };
}

function parseFile(
  name: string,
  contentOf: (name: string) => string | undefined,
  issues: string[],
): Record<string, unknown> {
  const content = contentOf(name);
  if (content === undefined) return {};
  let parsed: unknown;
  try {
    parsed = JSON.parse(content);
  } catch {
    // The parser's message would quote the file, and with it perhaps a password.
    issues.push(`${name} is not JSON`);
    return {};
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    issues.push(`${name} must hold a JSON object`);
    return {};
  }
  const known = [
    ...Object.values(settings).map(({ field }) => field as string),
    ...Object.keys(structuredSchema.shape),
  ];
  for (const field of Object.keys(parsed)) {
    if (!known.includes(field)) issues.push(`${name}: unknown field "${field}"`);
  }
  return parsed as Record<string, unknown>;
}
