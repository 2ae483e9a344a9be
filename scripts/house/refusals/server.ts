import {
  startServer,
  type ApiSettings,
  type GatewaySettings,
  type ServerOptions,
} from '../../../packages/server/src/index.ts';
import {
  anything,
  array,
  flag,
  func,
  object,
  refusing,
  text,
  withMethods,
  number,
  port,
  at,
} from './refusing.ts';

const nothing = { api: false, gateway: false };

/** What the options of the package refuse. */
export const server = [
  refusing<ServerOptions>(
    { ...at('ServerOptions', '', (options) => startServer(options)), besides: nothing },
    {
      proxies: array,
      proxiesFile: text(''),
      proxiesList: object,
      api: { types: [5, true, null, 'a', []] },
      gateway: { types: [5, true, null, 'a', []] },
      redisUrl: text('', 'http://h'),
      fleetPool: text('', 'a b'),
      allow: anything,
      deny: anything,
      retryPolicy: anything,
      circuitBreaker: anything,
      shutdownTimeoutMs: number(-1, NaN, 3_600_001),
      logger: withMethods,
      demo: func,
    },
  ),
  refusing<ApiSettings>(
    at('ApiSettings', 'api', (api) => startServer({ api, gateway: false })),
    {
      host: text(''),
      port,
      token: text(''),
      allowedHosts: array,
      trustProxy: array,
      dashboard: flag,
    },
  ),
  refusing<GatewaySettings>(
    at('GatewaySettings', 'gateway', (settings) => startServer({ api: false, gateway: settings })),
    { host: text(''), port, auth: array, optional: flag },
  ),
];
