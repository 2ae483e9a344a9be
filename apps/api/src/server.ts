import {
  ConfigError,
  createLogger,
  LogOutput,
  readConfig,
  serve,
  welcome,
  type Config,
} from '@whirl/server';
import { parseFlags } from './command-line.ts';
import { startDemo } from './demo/demo.ts';

const signals = ['SIGTERM', 'SIGINT'] as const;

/**
 * One Ctrl-C under `npm start` arrives twice: the terminal signals the whole process group, and npm
 * hands on its own. Signals within this time are one.
 */
const echoMs = 1000;

/** Time for the last lines of the log. */
const lastLinesMs = 1000;

/** One line for what an operator can mend, without a stack. */
function explain(error: unknown, { host, port, gateway }: Config): readonly string[] {
  if (error instanceof ConfigError) return error.faults;
  const { code, message, stack, port: taken } = error as NodeJS.ErrnoException & { port?: number };
  switch (code) {
    case 'EADDRINUSE':
      if (taken !== undefined && taken === gateway?.port && taken !== port) {
        return [`port ${taken} of the gateway is in use: choose another with WHIRL_GATEWAY_PORT`];
      }
      return [`port ${port} of ${host} is in use: choose another with --port or WHIRL_API_PORT`];
    case 'EACCES':
      return [`may not bind port ${port} of ${host}: choose one above 1023`];
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return [`"${host}" is not an address of this machine`];
    case 'INVALID_PROXY':
      return [message];
    default:
      return [stack ?? message];
  }
}

async function main(config: Config): Promise<void> {
  const output = new LogOutput();
  const logger = createLogger(config.logLevel, output);
  for (const warning of config.warnings) logger.warn(warning);
  // A signal that comes while the server starts waits for it.
  let askToStop: (signal: NodeJS.Signals) => void = () => {};
  const asked = new Promise<NodeJS.Signals>((resolve) => (askToStop = resolve));
  let askedAt: number | undefined;
  for (const signal of signals) {
    process.on(signal, () => {
      const now = performance.now();
      if (askedAt !== undefined && now - askedAt >= echoMs) process.exit(1);
      askedAt ??= now;
      askToStop(signal);
    });
  }
  const running = await serve(config, logger, startDemo);
  // The log is JSON for machines; who looks on gets a line to read.
  if (process.stdout.isTTY) console.log(welcome({ ...running, dashboard: config.dashboard }));
  const signal = await asked;
  logger.info({ signal }, 'whirl stops; a signal after a second ends it at once');
  await running.stop();
  logger.info('whirl stopped');
  if (await output.drain(lastLinesMs)) process.exit(0);
  // A write that hangs, as on a stopped terminal, would hold an ordinary exit too.
  for (const each of signals) process.removeAllListeners(each);
  process.kill(process.pid, 'SIGTERM');
}

function fail(lines: readonly string[]): never {
  for (const line of lines) console.error(`whirl: ${line}`);
  process.exit(1);
}

function configure(): Config {
  try {
    return readConfig({ flags: parseFlags(process.argv.slice(2)), env: process.env });
  } catch (error) {
    if (error instanceof ConfigError) return fail(error.faults);
    throw error;
  }
}

const config = configure();
await main(config).catch((error: unknown) => fail(explain(error, config)));
