import { createGateway, type Gateway } from '@whirl/gateway';
import { ProxyRotator } from '@whirl/rotator';
import { pino, type Logger } from 'pino';
import type { AddressInfo } from 'node:net';
import { buildApp } from './app.ts';
import { ConfigError } from './config-error.ts';
import { checkServerOptions } from './config/check-server-options.ts';
import { deniedByDefault } from './config/denied-by-default.ts';
import { curlCommand } from './curl-command.ts';
import type { Demo } from './demo.ts';
import { startFleet, type JoinedFleet } from './fleet.ts';
import { isLoopback } from './http/hosts.ts';
import { ListenError } from './listen-error.ts';
import { ProxiesFile } from './proxies/proxies-file.ts';
import type { App } from './routes/route-context.ts';
import type { ApiSettings, GatewaySettings, ServerOptions } from './config/server-options.ts';

const usualApiPort = 8000;
const usualGatewayPort = 8001;
const usualHost = '127.0.0.1';

/** A server that listens. */
export interface Server {
  /** The pool, to be used and changed beside the API. */
  readonly rotator: ProxyRotator;
  /** Where the API and the page are; undefined without them. */
  readonly url: string | undefined;
  /** Where the gateway listens, `host:port`; undefined without one. */
  readonly gateway: string | undefined;
  /** A command that sends a request through the gateway; undefined without one. */
  readonly curl: string | undefined;
  /** What the demo's traffic asks for; undefined without a demo. */
  readonly demoTargetUrl: string | undefined;
  /**
   * Accepts nothing more, ends event streams, lets requests finish within the shutdown timeout, then ends what is left.
   */
  close(): Promise<void>;
}

/**
 * Starts a pool with what serves it: the API with its page, a gateway, a fleet. Rejects, with nothing left open, when
 * something cannot start: `ListenError` for an address that cannot be bound, `ConfigError` for a list that cannot be
 * read or leads back to the gateway, `TypeError` or `RangeError` for an option.
 */
export async function startServer(options: ServerOptions = {}): Promise<Server> {
  checkServerOptions(options);
  const { api = {}, gateway: gatewaySettings = {} } = options;
  check(api, gatewaySettings);
  const { shutdownTimeoutMs = 5000 } = options;
  const logger = options.logger ?? pino({ level: 'silent' });
  const cleanUps: (() => Promise<void> | void)[] = [];
  const cleanUp = async () => {
    for (const undo of cleanUps.splice(0).reverse()) await undo();
  };
  try {
    const demo = await options.demo?.();
    if (demo !== undefined) cleanUps.push(() => demo.close());
    const givenPolicy = options.retryPolicy ?? demo?.rotator.retryPolicy;
    const rotator = createPool(options, demo, logger);
    cleanUps.push(() => rotator.close({ graceMs: 0 }));
    if (options.proxiesFile !== undefined) {
      const { proxiesFile: path, proxiesList: list } = options;
      const file = new ProxiesFile({ path, list, rotator, logger });
      cleanUps.push(() => file.close());
      await file.load();
      file.watch();
    }
    let fleet: JoinedFleet | undefined;
    if (options.redisUrl !== undefined) {
      const { redisUrl: url, fleetPool: pool = 'default' } = options;
      const started = await startFleet({ rotator, url, pool, logger });
      cleanUps.push(() => started.close());
      fleet = started;
    }
    let gateway: Gateway | undefined;
    let app: App | undefined;
    let url: string | undefined;
    // They have the same time, and not one after the other.
    cleanUps.push(async () => {
      await Promise.all([
        app && closeApp(app, shutdownTimeoutMs),
        gateway?.close({ graceMs: shutdownTimeoutMs }),
      ]);
    });
    if (api !== false) {
      const { host = usualHost, port = usualApiPort, ...others } = api;
      app = (await buildApp({
        ...others,
        rotator,
        gateway: () => gateway,
        fleet,
        givenPolicy,
        host,
        mode: demo === undefined ? 'live' : 'demo',
        demoTarget: demo?.targetUrl,
        logger,
      })) as unknown as App;
      url = await listen(app, host, port);
    }
    const ownAddresses = app === undefined ? [] : addressesOf(app);
    if (gatewaySettings !== false) {
      gateway = await startGateway(rotator, gatewaySettings, options, ownAddresses, logger);
    }
    const curl =
      gateway &&
      curlCommand({
        ...gateway.address,
        needsPassword: gateway.needsPassword,
        target: demo?.targetUrl,
      });
    if (demo !== undefined) {
      demo.run(rotator);
      logger.warn(
        { mode: 'demo', target: demo.targetUrl, try: curl },
        'demo: its proxies reach the demo target alone; give your own with WHIRL_PROXIES',
      );
    }
    if (rotator.size === 0) {
      logger.warn('the pool has no proxies: every request will be refused');
    }
    return {
      rotator,
      url,
      gateway: gateway && authorityOf(gateway.address.host, gateway.address.port),
      curl,
      demoTargetUrl: demo?.targetUrl,
      close: cleanUp,
    };
  } catch (error) {
    await cleanUp();
    throw error;
  }
}

/** Refuses options under which nothing is served, or every client without credentials. The gateway checks its own. */
function check(api: ApiSettings | false, gateway: GatewaySettings | false): void {
  if (api === false) {
    if (gateway === false) throw new RangeError('api and gateway are both false: nothing to serve');
    return;
  }
  const { host = usualHost, token } = api;
  if (!isLoopback(host) && token === undefined) {
    throw new RangeError(
      `api.host "${host}" can be reached from other machines: give api.token, or bind 127.0.0.1`,
    );
  }
}

/** The pool; what the options say goes before what the demo is made for. */
function createPool(options: ServerOptions, demo: Demo | undefined, logger: Logger): ProxyRotator {
  const denied = { proxies: deniedByDefault, targets: deniedByDefault };
  return new ProxyRotator({
    proxies: [...(options.proxies ?? []), ...(demo?.proxies ?? [])],
    logger,
    allow: options.allow,
    deny: options.deny ?? denied,
    strategy: demo?.rotator.strategy,
    retryPolicy: options.retryPolicy ?? demo?.rotator.retryPolicy,
    circuitBreaker: options.circuitBreaker ?? demo?.rotator.circuitBreaker,
  });
}

/** Resolves with the URL of where it listens. */
async function listen(app: App, host: string, port: number): Promise<string> {
  const listenTextResolver = (address: string) => `whirl listens at ${address}`;
  try {
    return await app.listen({ host, port, listenTextResolver });
  } catch (error) {
    throw ListenError.of(error, 'api', host, port);
  }
}

async function closeApp(app: App, timeoutMs: number): Promise<void> {
  const late = setTimeout(() => app.server.closeAllConnections(), timeoutMs);
  await app.close();
  clearTimeout(late);
}

const authorityOf = (host: string, port: number) =>
  `${host.includes(':') ? `[${host}]` : host}:${port}`;

/** Where the API listens, as targets that a client of the gateway may not ask for. */
function addressesOf(app: App): string[] {
  const addresses = app.addresses() as readonly AddressInfo[];
  return addresses.map(({ address, port }) => authorityOf(address, port));
}

/** Starts the gateway. Undefined if it is optional and its port is taken; rejects otherwise. */
async function startGateway(
  rotator: ProxyRotator,
  { host = usualHost, port = usualGatewayPort, auth = [], optional = false }: GatewaySettings,
  { allow, deny }: ServerOptions,
  ownAddresses: readonly string[],
  logger: Logger,
): Promise<Gateway | undefined> {
  const gateway = createGateway(rotator, {
    host,
    port,
    auth: auth.length === 0 ? undefined : auth,
    allow: allow?.targets,
    deny: deny === undefined ? deniedByDefault : deny.targets,
    ownAddresses,
  });
  try {
    const { port: bound } = await gateway.listen();
    logger.info({ host, port: bound }, 'the gateway listens');
    return gateway;
  } catch (error) {
    await gateway.close({ graceMs: 0 });
    // A proxy of the pool is the gateway itself.
    if (error instanceof RangeError) throw new ConfigError([error.message]);
    if (!optional || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') {
      throw ListenError.of(error, 'gateway', host, port);
    }
    logger.warn({ port }, 'no gateway: its port is in use; set WHIRL_GATEWAY_PORT');
    return undefined;
  }
}
