import { ProxyRotator } from '@whirl/rotator';
import type { Logger } from 'pino';
import { buildApp } from './app.ts';
import type { Config } from './config/read-config.ts';
import { startDemo } from './demo/demo.ts';
import { ProxiesFile } from './proxies/proxies-file.ts';

export interface Running {
  /** Where it listens. */
  readonly address: string;
  /** What the demo's traffic asks for; undefined without a demo. */
  readonly demoTargetUrl: string | undefined;
  /** Proxies in the pool at the start. */
  readonly proxies: number;
  /**
   * Accepts nothing more, ends event streams, lets requests finish within the shutdown timeout,
   * then ends what is left.
   */
  stop(): Promise<void>;
}

/** Starts everything that a configuration asks for. Rejects, with nothing left open. */
export async function serve(config: Config, logger: Logger): Promise<Running> {
  const cleanUps: (() => Promise<void> | void)[] = [];
  const cleanUp = async () => {
    for (const undo of cleanUps.splice(0).reverse()) await undo();
  };
  try {
    const demo = config.demo ? await startDemo() : undefined;
    if (demo !== undefined) cleanUps.push(() => demo.close());
    const givenPolicy = config.retryPolicy ?? demo?.rotator.retryPolicy;
    const rotator = new ProxyRotator({
      proxies: [...config.proxies, ...(demo?.proxies ?? [])],
      logger,
      allow: config.allow,
      deny: config.deny,
      strategy: demo?.rotator.strategy,
      retryPolicy: givenPolicy,
      circuitBreaker: config.circuitBreaker ?? demo?.rotator.circuitBreaker,
    });
    cleanUps.push(() => rotator.close({ graceMs: 0 }));
    if (config.proxiesFile !== undefined) {
      const file = new ProxiesFile({
        path: config.proxiesFile,
        list: config.proxiesList,
        rotator,
        logger,
      });
      cleanUps.push(() => file.close());
      await file.load();
      file.watch();
    }
    const app = await buildApp({
      rotator,
      givenPolicy,
      host: config.host,
      token: config.token,
      allowedHosts: config.allowedHosts,
      trustProxy: config.trustProxy,
      dashboard: config.dashboard,
      mode: demo === undefined ? 'live' : 'demo',
      demoTarget: demo?.targetUrl,
      logger,
    });
    cleanUps.push(async () => {
      const late = setTimeout(() => app.server.closeAllConnections(), config.shutdownTimeoutMs);
      await app.close();
      clearTimeout(late);
    });
    const address = await app.listen({ host: config.host, port: config.port, listenTextResolver });
    if (demo !== undefined) {
      demo.run(rotator);
      logger.warn(
        { mode: 'demo', target: demo.targetUrl },
        'demo: its proxies reach the demo target alone; give your own with WHIRL_PROXIES',
      );
    }
    const proxies = rotator.size;
    if (proxies === 0) logger.warn('the pool has no proxies: every request will be refused');
    return { address, demoTargetUrl: demo?.targetUrl, proxies, stop: cleanUp };
  } catch (error) {
    await cleanUp();
    throw error;
  }
}

function listenTextResolver(address: string): string {
  return `whirl listens at ${address}`;
}
