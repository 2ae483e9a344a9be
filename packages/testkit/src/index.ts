export type { Behaviour } from './behaviour.ts';
export { certificateOf } from './certificate.ts';
export type { Certificate } from './certificate.ts';
export { seededRandom } from './chance.ts';
export { startExitGateway } from './exit-gateway.ts';
export type {
  ExitFate,
  ExitGateway,
  ExitGatewayOptions,
  GatewayMood,
  SimulatedExit,
} from './exit-gateway.ts';
export { startProxy } from './flaky-proxy.ts';
export type { FlakyProxy, ProxyServerOptions } from './flaky-proxy.ts';
export { startSocks } from './socks-server.ts';
export type { SocksBehaviour, SocksServer, SocksServerOptions } from './socks-server.ts';
export { startTarget } from './target.ts';
export type { Target, TargetOptions } from './target.ts';
export { createVirtualClock } from './virtual-clock.ts';
export type { VirtualClock } from './virtual-clock.ts';
export { openWire } from './wire.ts';
export type { Wire } from './wire.ts';
