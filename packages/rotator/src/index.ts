export * from './errors.ts';
export { parseProxyList } from './proxy-list.ts';
export { parseProxy } from './proxy.ts';
export type { Proxy, ProxyInput, ProxyOptions } from './proxy.ts';
export type { ProxyFormat, ProxyProtocol } from './proxy-address.ts';
export { presets } from './policy.ts';
export type { RetryPolicy, RetryPolicyOptions } from './policy.ts';
export type { PoolOptions } from './request-context.ts';
export type { TlsOptions } from './tls.ts';
export type { TunnelMode } from './clients.ts';
export { ProxyRotator } from './proxy-rotator.ts';
export type {
  CircuitBreakerView,
  CircuitOptions,
  InFlightRequest,
  ProxyView,
  RequestOptions,
  RotatorOptions,
  RotatorResponse,
  RotatorView,
} from './proxy-rotator.ts';
export type { Logger } from './logging.ts';
