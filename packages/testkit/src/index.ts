export { startProxy } from './flaky-proxy.ts';
export type { Behaviour, FlakyProxy, ProxyServerOptions } from './flaky-proxy.ts';
export { startTarget } from './target.ts';
export type { Target } from './target.ts';
export { seededRandom } from './chance.ts';
export { createVirtualClock } from './virtual-clock.ts';
export type { VirtualClock } from './virtual-clock.ts';
export { startSocks5 } from './socks-server.ts';
export type { SocksServer, SocksServerOptions } from './socks-server.ts';
