import { ProxyRotator } from '@whirl/rotator';
import { pino } from 'pino';
import { buildApp } from './app.ts';
import { ConfigError, readConfig, type Config } from './config.ts';
import { startDemo } from './demo.ts';

async function main(config: Config): Promise<void> {
  const logger = pino({ level: config.logLevel });
  for (const warning of config.warnings) logger.warn(warning);
  const demo = config.demo ? await startDemo() : undefined;
  const rotator = new ProxyRotator({
    proxies: [...config.proxies, ...(demo?.proxies ?? [])],
    logger,
    ...(demo === undefined
      ? {}
      : {
          retryPolicy: { baseDelayMs: 100, attemptTimeoutMs: 2000 },
          circuitBreaker: { openMs: 10_000 },
        }),
  });
  const app = buildApp({ rotator });
  try {
    const address = await app.listen({ host: config.host, port: config.port });
    logger.info(`whirl listens at ${address}`);
  } catch (error) {
    const busy = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
    console.error(
      busy
        ? `whirl: port ${config.port} is in use; set WHIRL_API_PORT to another one`
        : `whirl: ${(error as Error).message}`,
    );
    process.exit(1);
  }
  if (demo !== undefined) {
    demo.run(rotator);
    logger.info(`demo target behind the proxies: ${demo.targetUrl}`);
  }
  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => app.server.closeAllConnections(), config.shutdownTimeoutMs).unref();
    await app.close();
    await rotator.close({ graceMs: config.shutdownTimeoutMs });
    await demo?.close();
    process.exit(0);
  };
  process.on('SIGTERM', () => void stop());
  process.on('SIGINT', () => void stop());
}

try {
  await main(readConfig(process.env));
} catch (error) {
  console.error(error instanceof ConfigError ? error.message : error);
  process.exit(1);
}
