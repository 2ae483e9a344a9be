import {
  ConfigError,
  createLogger,
  LogOutput,
  ListenError,
  readConfig,
  startServer,
  type Config,
  type Listener,
} from '@whirl/server';
import { parseFlags } from './command-line.ts';
import { startDemo } from './demo/demo.ts';
import { welcome } from './welcome.ts';

/** SIGHUP comes when the terminal closes. Node takes back what `nohup` ignores, so it would end the process at once. */
const signals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/**
 * One Ctrl-C under `npm start` arrives twice: the terminal signals the whole process group, and npm
 * hands on its own. Signals within this time are one.
 */
const echoMs = 1000;

/** Time for the last lines of the log. */
const lastLinesMs = 1000;

/** What an operator sets to bind elsewhere. */
const elsewhere: Readonly<Record<Listener, string>> = {
  api: '--port or WHIRL_API_PORT',
  gateway: '--gateway-port or WHIRL_GATEWAY_PORT',
};

/** One line for what an operator can mend, without a stack. */
function explain(error: unknown): readonly string[] {
  if (error instanceof ConfigError) return error.issues;
  const { code, message, stack } = error as NodeJS.ErrnoException;
  if (error instanceof ListenError) {
    const { listener } = error;
    if (code === 'EADDRINUSE') return [`${message}: choose another with ${elsewhere[listener]}`];
    return [code === 'EACCES' ? `${message}: choose one above 1023` : message];
  }
  return [code === 'INVALID_PROXY' ? message : (stack ?? message)];
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
  const demo = config.demo ? startDemo : undefined;
  const server = await startServer({ ...config, demo, logger });
  // The log is JSON for machines; a person gets a line to read.
  if (process.stdout.isTTY) {
    const dashboard = config.api !== false && config.api.dashboard === true;
    console.log(welcome({ ...server, dashboard, proxies: server.rotator.size }));
  }
  const signal = await asked;
  logger.info({ signal }, 'whirl stops; a signal after a second ends it at once');
  await server.close();
  logger.info('whirl stopped');
  const drained = await output.drain(lastLinesMs);
  // An exit restores the modes of the terminal, and Node 20 aborts where that is gone.
  if (signal === 'SIGHUP' && standardStreams().some(({ isTTY }) => isTTY)) endBy(signal);
  if (drained) process.exit(0);
  // A write that hangs, as on a stopped terminal, would hold an ordinary exit too.
  endBy('SIGTERM');
}

const standardStreams = () => [process.stdin, process.stdout, process.stderr];

/** Ends the process without its exit handlers. */
function endBy(signal: NodeJS.Signals): void {
  for (const each of signals) process.removeAllListeners(each);
  process.kill(process.pid, signal);
}

function fail(lines: readonly string[]): never {
  for (const line of lines) console.error(`whirl: ${line}`);
  process.exit(1);
}

function configure(): Config {
  try {
    return readConfig({ flags: parseFlags(process.argv.slice(2)), env: process.env });
  } catch (error) {
    if (error instanceof ConfigError) return fail(error.issues);
    throw error;
  }
}

const config = configure();
await main(config).catch((error: unknown) => fail(explain(error)));
