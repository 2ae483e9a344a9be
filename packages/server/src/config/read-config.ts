import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { AccessOptions, CircuitOptions, RetryPolicyOptions } from '@whirl/rotator';
import { closest, distance } from 'fastest-levenshtein';
import { z } from 'zod';
import { isLoopback } from '../http/hosts.ts';
import { policyFromWire, policySchema } from '../wire/policy-wire.ts';
import { readProxy, type ListSettings } from '../proxies/proxy-list.ts';
import { fieldsOf } from '../http/validation.ts';
import { withDefaults } from './denied-by-default.ts';
import { configVariable, settings, type LogLevel, type SettingName } from './settings.ts';

/** The proxy server over the pool. */
export interface GatewayConfig {
  readonly host: string;
  /** Undefined: the usual one, and none where that is taken. 0 picks a free one. */
  readonly port: number | undefined;
  /** `name:password` of each client; empty: every client is served. */
  readonly auth: readonly string[];
}

/** What the server is to do, every field decided. */
export interface Config {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly token: string | undefined;
  readonly allowedHosts: readonly string[];
  readonly trustProxy: readonly string[];
  readonly proxies: readonly string[];
  readonly proxiesFile: string | undefined;
  /** How the proxies file is read. */
  readonly proxiesList: ListSettings;
  readonly demo: boolean;
  readonly dashboard: boolean;
  /** The proxy server over the pool; undefined: off. */
  readonly gateway: GatewayConfig | undefined;
  readonly logLevel: LogLevel;
  readonly shutdownTimeoutMs: number;
  /** Where the servers of a fleet meet; undefined: this one is alone. */
  readonly redisUrl: string | undefined;
  /** Servers with the same one learn together. */
  readonly fleetPool: string;
  readonly allow: AccessOptions;
  readonly deny: AccessOptions;
  /** The first global policy; the API may change it later. */
  readonly retryPolicy: RetryPolicyOptions | undefined;
  readonly circuitBreaker: CircuitOptions | undefined;
  /** What looks like a mistake, but harms nothing. */
  readonly warnings: readonly string[];
}

/** Everything that is wrong with a configuration, one line each. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(faults.join('\n'));
    this.faults = faults;
  }
}

export interface ConfigSources {
  /** By setting; `config` is the path of the file. */
  readonly flags?: Readonly<Partial<Record<SettingName | 'config', unknown>>>;
  readonly env?: Readonly<Record<string, string | undefined>>;
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
 * empty variable is unset. Throws `ConfigError` with every fault at once.
 */
export function readConfig({
  flags = {},
  env = {},
  readFile = (name) => readFileSync(name, 'utf8'),
}: ConfigSources): Config {
  const faults: string[] = [];
  const variable = (name: string) => (env[name]?.trim() === '' ? undefined : env[name]);
  const contentOf = (name: string, label: string) => {
    try {
      return readFile(name);
    } catch (error) {
      faults.push(`${label}: cannot read "${name}" (${(error as { code?: string }).code})`);
      return undefined;
    }
  };

  const given = flags.config ?? variable(configVariable);
  const configFile = typeof given === 'string' ? path.resolve(given) : undefined;
  const configLabel = flags.config === undefined ? configVariable : '--config';
  const file =
    configFile === undefined
      ? {}
      : parseFile(configFile, (name) => contentOf(name, configLabel), faults);
  const structured = structuredSchema.safeParse(file);
  if (!structured.success) {
    for (const [field, message] of Object.entries(fieldsOf(structured.error.issues))) {
      faults.push(`${configFile}: ${field}: ${message}`);
    }
  }

  /** The value that wins, and the name under which the operator wrote it. */
  const read = <Name extends SettingName>(name: Name) => {
    const setting = settings[name];
    const candidates = [
      { label: 'flag' in setting ? `--${setting.flag}` : '', value: flags[name] },
      { label: setting.variable, value: variable(setting.variable) },
      { label: `${configFile}: ${setting.field}`, value: file[setting.field] ?? undefined },
    ];
    const found = candidates.find(({ value }) => value !== undefined);
    if (found === undefined) return undefined;
    const value = setting.read(found.value) as ReturnType<(typeof settings)[Name]['read']>;
    if (value === undefined) {
      const got = 'secret' in setting ? '' : `, got ${JSON.stringify(found.value)}`;
      faults.push(`${found.label} must be ${setting.expected}${got}`);
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

  const host = read('host')?.value ?? '127.0.0.1';
  const port = read('port')?.value ?? 8000;
  const tokenGiven = read('token');
  const tokenFile = read('tokenFile');
  let token = tokenGiven?.value;
  if (tokenFile !== undefined && (tokenGiven === undefined || tokenFile.rank < tokenGiven.rank)) {
    const content = contentOf(resolved(tokenFile) ?? '', tokenFile.label);
    token = settings.token.read(content);
    if (content !== undefined && token === undefined) {
      faults.push(`${tokenFile.label}: the token in it must be ${settings.token.expected}`);
    }
  } else if (tokenFile !== undefined && tokenFile.rank === tokenGiven?.rank) {
    faults.push(`${tokenGiven.label} and ${tokenFile.label} exclude each other: set one of them`);
  }
  if (!isLoopback(host) && tokenGiven === undefined && tokenFile === undefined) {
    faults.push(
      `the host "${host}" can be reached from other machines: set ${settings.token.variable} or ` +
        `${settings.tokenFile.variable}, or bind 127.0.0.1`,
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
      faults.push(`${authFile.label}: the lines in it must be name:password`);
    }
    gatewayAuth = lines ?? [];
  } else if (authFile !== undefined && authFile.rank === authGiven?.rank) {
    faults.push(`${authGiven.label} and ${authFile.label} exclude each other: set one of them`);
  }
  const gatewayOn = read('gateway')?.value ?? true;
  if (gatewayOn && !isLoopback(gatewayHost) && authGiven === undefined && authFile === undefined) {
    faults.push(
      `the gateway's host "${gatewayHost}" can be reached from other machines: set ` +
        `${settings.gatewayAuth.variable} or ${settings.gatewayAuthFile.variable}, or bind 127.0.0.1`,
    );
  }
  const proxies = read('proxies');
  for (const proxy of proxies?.value ?? []) {
    try {
      readProxy(proxy);
    } catch (error) {
      faults.push(`${proxies?.label}: ${(error as Error).message}`);
    }
  }
  const proxiesFile = resolved(read('proxiesFile'));
  const config = {
    host,
    port,
    token,
    allowedHosts: read('allowedHosts')?.value ?? [],
    trustProxy: read('trustProxy')?.value ?? [],
    proxies: proxies?.value ?? [],
    proxiesFile,
    proxiesList: {
      format: read('proxiesFormat')?.value,
      defaultProtocol: read('proxiesDefaultProtocol')?.value,
      onInvalid: read('proxiesOnInvalid')?.value,
    },
    demo: read('demo')?.value ?? (proxies === undefined && proxiesFile === undefined),
    allow: { proxies: read('allowProxies')?.value, targets: read('allowTargets')?.value },
    deny: {
      proxies: withDefaults(read('denyProxies')?.value),
      targets: withDefaults(read('denyTargets')?.value),
    },
    dashboard: read('dashboard')?.value ?? true,
    gateway: gatewayOn ? { host: gatewayHost, port: gatewayPort, auth: gatewayAuth } : undefined,
    logLevel: read('logLevel')?.value ?? 'info',
    redisUrl: read('redisUrl')?.value,
    fleetPool: read('fleetPool')?.value ?? 'default',
    shutdownTimeoutMs: (read('shutdownTimeout')?.value ?? 5) * 1000,
  };
  const warnings = judgeUnknownVariables(env, faults);
  if (faults.length > 0 || !structured.success) throw new ConfigError(faults);
  const { retry_policy: policy, circuit_breaker: circuit } = structured.data;
  return {
    ...config,
    retryPolicy: policy && policyFromWire(policy),
    circuitBreaker: circuit && {
      failureThreshold: circuit.failure_threshold,
      windowMs: ms(circuit.window_duration),
      openMs: ms(circuit.timeout_duration),
    },
    warnings,
  };
}

function parseFile(
  name: string,
  contentOf: (name: string) => string | undefined,
  faults: string[],
): Record<string, unknown> {
  const content = contentOf(name);
  if (content === undefined) return {};
  let parsed: unknown;
  try {
    parsed = JSON.parse(content);
  } catch {
    // The parser's message would quote the file, and with it perhaps a password.
    faults.push(`${name} is not JSON`);
    return {};
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    faults.push(`${name} must hold a JSON object`);
    return {};
  }
  const known = [
    ...Object.values(settings).map(({ field }) => field as string),
    ...Object.keys(structuredSchema.shape),
  ];
  for (const field of Object.keys(parsed)) {
    if (!known.includes(field)) faults.push(`${name}: unknown field "${field}"`);
  }
  return parsed as Record<string, unknown>;
}

/** Letters that may be wrong, missing, too many or (counting two) exchanged: three of a long name, two of a short one. */
const maxTypos = (name: string) => (name.length >= 'WHIRL_PROXIES'.length ? 3 : 2);

/**
 * A name that is nearly one of ours is taken for a typing error and stops the start: without it the
 * server would run, but not as it was meant. Any other name may belong to another program that uses the prefix.
 */
function judgeUnknownVariables(
  env: Readonly<Record<string, string | undefined>>,
  faults: string[],
): string[] {
  const known = [...Object.values(settings).map((setting) => setting.variable), configVariable];
  const warnings: string[] = [];
  for (const name of Object.keys(env).sort()) {
    if (!/^whirl[_-]/i.test(name) || known.includes(name as never)) continue;
    const nearest = closest(name.toUpperCase(), known);
    if (distance(name.toUpperCase(), nearest) <= maxTypos(nearest)) {
      faults.push(`unknown variable ${name}: did you mean ${nearest}?`);
    } else warnings.push(`unknown variable ${name} is ignored`);
  }
  return warnings;
}
