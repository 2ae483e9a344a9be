import { ProxyRotator } from '@whirl/rotator';
import type { Logger } from 'pino';
import type { AddressInfo } from 'node:net';
import { createGateway, type Gateway } from '@whirl/gateway';
import { buildApp } from './app.ts';
import type { Config, GatewayConfig } from './config/read-config.ts';
import type { App } from './routes/area.ts';
import type { Demo } from './demo.ts';
import { startFleet } from './fleet.ts';
import { ProxiesFile } from './proxies/proxies-file.ts';

const usualGatewayPort = 8001;

export interface Running {
  /** Where it listens. */
  readonly address: string;
  /** What the demo's traffic asks for; undefined without a demo. */
  readonly demoTargetUrl: string | undefined;
  /** Proxies in the pool at the start. */
  readonly proxies: number;
  /** Where the gateway listens, `host:port`; undefined without one. */
  readonly gateway: string | undefined;
  /**
   * Accepts nothing more, ends event streams, lets requests finish within the shutdown timeout,
   * then ends what is left.
   */
  stop(): Promise<void>;
}

/**
 * Starts everything that a configuration asks for, the demo where it comes from included. Rejects, with nothing left
 * open.
 */
export async function serve(
  config: Config,
  logger: Logger,
  startDemo?: () => Promise<Demo>,
): Promise<Running> {
  const cleanUps: (() => Promise<void> | void)[] = [];
  const cleanUp = async () => {
    for (const undo of cleanUps.splice(0).reverse()) await undo();
  };
  try {
    const demo = config.demo ? await startDemo?.() : undefined;
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
    if (config.redisUrl !== undefined) {
      const fleet = await startFleet({
        rotator,
        url: config.redisUrl,
        pool: config.fleetPool,
        logger,
      });
      cleanUps.push(() => fleet.close());
    }
    let gateway: Gateway | undefined;
    const app = await buildApp({
      rotator,
      gateway: () => gateway,
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
    if (config.gateway !== undefined) {
      gateway = await startGateway(rotator, config, addressesOf(app), logger);
      const close = cleanUps.pop();
      // Both have the same time, and not one after the other.
      cleanUps.push(async () => {
        await Promise.all([close?.(), gateway?.close({ graceMs: config.shutdownTimeoutMs })]);
      });
    }
    if (demo !== undefined) {
      demo.run(rotator);
      logger.warn(
        { mode: 'demo', target: demo.targetUrl },
        'demo: its proxies reach the demo target alone; give your own with WHIRL_PROXIES',
      );
    }
    const proxies = rotator.size;
    if (proxies === 0) logger.warn('the pool has no proxies: every request will be refused');
    const { host = '', port } = gateway?.address ?? {};
    return {
      address,
      demoTargetUrl: demo?.targetUrl,
      proxies,
      gateway:
        port === undefined ? undefined : `${host.includes(':') ? `[${host}]` : host}:${port}`,
      stop: cleanUp,
    };
  } catch (error) {
    await cleanUp();
    throw error;
  }
}

/** Where the API listens, as targets that a client of the gateway may not ask for. */
function addressesOf(app: App): string[] {
  const addresses = app.addresses() as readonly AddressInfo[];
  return addresses.map(({ address, port }) => {
    return `${address.includes(':') ? `[${address}]` : address}:${port}`;
  });
}

/**
 * Starts the gateway. Undefined if its default port is taken: the API runs without a gateway then.
 * Rejects otherwise.
 */
async function startGateway(
  rotator: ProxyRotator,
  { gateway: config, allow, deny }: Config,
  ownAddresses: readonly string[],
  logger: Logger,
): Promise<Gateway | undefined> {
  const { host, port, auth } = config as GatewayConfig;
  const gateway = createGateway(rotator, {
    host,
    port: port ?? usualGatewayPort,
    auth: auth.length === 0 ? undefined : auth,
    allow: allow.targets,
    deny: deny.targets,
    ownAddresses,
  });
  try {
    const { port: bound } = await gateway.listen();
    logger.info({ host, port: bound }, 'the gateway listens');
    return gateway;
  } catch (error) {
    await gateway.close({ graceMs: 0 });
    if (port !== undefined || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    logger.warn(
      { port: usualGatewayPort },
      'no gateway: its port is in use; set WHIRL_GATEWAY_PORT',
    );
    return undefined;
  }
}

function listenTextResolver(address: string): string {
  return `whirl listens at ${address}`;
}
