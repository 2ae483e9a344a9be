export { createGateway } from './gateway.ts';
export type { Gateway, GatewayStats } from './gateway.ts';
export { checkAuth } from './gateway-options.ts';
export type { GatewayOptions } from './gateway-options.ts';
export type { ReplayMode } from './flight/flight-reader.ts';
