import {
  ConfigError,
  createLogger,
  ListenError,
  LogOutput,
  readConfig,
  startServer,
  type Config,
  type Server,
} from '@whirl/server';
import type { Proxy } from '@whirl/rotator';
import { exitCodes } from '../exit-codes.ts';
import { UsageError } from '../usage-error.ts';
import type { ListOptions } from '../pool/options.ts';
import { readProxies } from '../pool/read-pool.ts';
import type { HostPort } from '../terminal/arguments.ts';
import { write, type OutputError, type Terminal } from '../terminal/terminal.ts';
import { greeting } from './greeting.ts';
import { readable } from './log-lines.ts';

export interface ServeOptions extends Partial<ListOptions> {
  readonly gateway?: HostPort | 'off';
  readonly api?: HostPort | 'off';
  readonly gatewayAuth?: readonly string[];
  readonly gatewayAuthFile?: string;
  readonly apiTokenFile?: string;
  readonly redis?: string;
  readonly fleetPool?: string;
  readonly config?: string;
  readonly logLevel?: string;
}

/** How this command calls what the server calls otherwise. */
const flagNames = {
  api: '--api',
  host: '--api',
  port: '--api',
  tokenFile: '--api-token-file',
  gateway: '--gateway',
  gatewayHost: '--gateway',
  gatewayPort: '--gateway',
  gatewayAuth: '--gateway-auth',
  gatewayAuthFile: '--gateway-auth-file',
  redisUrl: '--redis',
  proxiesFormat: '--list-format',
  proxiesDefaultProtocol: '--protocol',
} as const;

/** The port of the gateway is given, so that one in use stops the start; the demo is not part of this command. */
const defaults = { gatewayPort: 8001, logLevel: 'warn' };

/** Time for the last lines of the log. */
const lastLinesMs = 1000;

/** `whirl serve`. Resolves with the exit code when it was told to stop and has. */
export async function serve(options: ServeOptions, terminal: Terminal): Promise<number> {
  const config = configOf(options);
  const proxies = await poolOf(options, config, terminal);
  const output = logOutput(terminal);
  const stopped = new Promise<void>((resolve) => terminal.onStop(resolve));
  const logger = createLogger(config.logLevel, destination(output, terminal));
  for (const warning of config.warnings) logger.warn(warning);
  let server: Server;
  try {
    server = await startServer({ ...config, demo: undefined, proxies, logger });
  } catch (error) {
    return failed(error, terminal);
  }
  const text = greeting(aboutOf(server, config), terminal.stdout);
  // A full disk ends no server.
  await write(terminal.stdout, text).catch((error: OutputError) => logger.warn(error.message));
  await stopped;
  if (terminal.stderr.isTTY === true) {
    terminal.stderr.write('whirl: requests may finish; Ctrl-C again ends it at once\n');
  }
  await server.close();
  await output.drain(lastLinesMs);
  return exitCodes.ok;
}

/** What the server is to do: of the command line, the environment, the file. */
function configOf(options: ServeOptions): Config {
  const { api, gateway, proxies, proxiesFile } = options;
  // Proxies were taken from the environment with the options, by the rules of every command.
  const { WHIRL_PROXIES: _list, WHIRL_PROXIES_FILE: _file, ...env } = process.env;
  try {
    const config = readConfig({
      flags: {
        config: options.config,
        demo: false,
        api: api && api !== 'off',
        ...(typeof api === 'object' && { host: api.host, port: api.port }),
        tokenFile: options.apiTokenFile,
        gateway: gateway && gateway !== 'off',
        ...(typeof gateway === 'object' && {
          gatewayHost: gateway.host,
          gatewayPort: gateway.port,
        }),
        gatewayAuth: options.gatewayAuth,
        gatewayAuthFile: options.gatewayAuthFile,
        redisUrl: options.redis,
        fleetPool: options.fleetPool,
        logLevel: options.logLevel,
        proxiesFile: proxiesFile === '-' ? undefined : proxiesFile,
        proxiesFormat: options.listFormat,
        proxiesDefaultProtocol: options.protocol,
      },
      env,
      flagNames,
      defaults,
    });
    if (proxies === undefined && proxiesFile === undefined) return config;
    // Proxies that are named here put those of the file out of use, under either of its fields.
    const watched =
      proxiesFile === undefined || proxiesFile === '-' ? undefined : config.proxiesFile;
    return { ...config, proxies: [], proxiesFile: watched };
  } catch (error) {
    if (error instanceof ConfigError) throw new UsageError(error.issues);
    throw error;
  }
}

/** The pool at the start. A file is read here too, so that every bad line is named, and left to the server. */
async function poolOf(
  { proxies, proxiesFile, proxiesVariable }: ServeOptions,
  config: Config,
  terminal: Terminal,
): Promise<(string | Proxy)[]> {
  const {
    defaultProtocol: protocol = 'http',
    format: listFormat,
    onInvalid,
  } = config.proxiesList ?? {};
  const read = (named: Pick<ServeOptions, 'proxies' | 'proxiesFile'>) =>
    readProxies(
      {
        ...named,
        protocol,
        ...(proxiesVariable === undefined ? {} : { proxiesVariable }),
        ...(listFormat === undefined ? {} : { listFormat }),
      },
      terminal,
    );
  const given = await read({
    ...(proxies === undefined ? {} : { proxies }),
    ...(proxiesFile === '-' ? { proxiesFile } : {}),
  });
  if (config.proxiesFile !== undefined && onInvalid !== 'skip') {
    await read({ proxiesFile: config.proxiesFile });
  }
  return [...(config.proxies as readonly string[]), ...given];
}

/** The log goes to stderr, past the stream where it is a file of its own, so that it never blocks the server. */
function logOutput({ stderr }: Terminal): LogOutput {
  const { fd } = stderr as { fd?: number };
  if (fd !== undefined) return new LogOutput({ fd });
  return new LogOutput({
    write: (bytes, done) => {
      stderr.write(bytes, (error) => done(error ?? null, error ? 0 : bytes.length));
    },
  });
}

/** JSON for programs, lines to read for a person. */
function destination(output: LogOutput, { stderr }: Terminal): { write(line: string): void } {
  if (stderr.isTTY !== true) return output;
  return { write: (line) => output.write(readable(line, stderr)) };
}

function aboutOf(server: Server, { api, gateway }: Config) {
  const auth = gateway === false ? undefined : gateway.auth;
  return {
    ...server,
    proxies: server.rotator.size,
    dashboard: api !== false && api.dashboard === true,
    token: api !== false && api.token !== undefined,
    client: auth?.[0]?.split(':', 1)[0],
  };
}

/** Says why it did not start. Returns the exit code. */
function failed(error: unknown, { stderr }: Terminal): number {
  if (error instanceof ConfigError) throw new UsageError(error.issues);
  if (!(error instanceof ListenError)) throw error;
  const { code, listener, message } = error;
  const hint = code === 'EADDRINUSE' ? `: choose another with --${listener} host:port` : '';
  stderr.write(`whirl: ${message}${hint}\n`);
  return exitCodes.failed;
}
