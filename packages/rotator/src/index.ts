export * from './errors.ts';
export { parseProxy, parseProxyList } from './proxy.ts';
export type { Proxy, ProxyInput, ProxyOptions, ProxyProtocol } from './proxy.ts';
export { presets } from './policy.ts';
export type { RetryPolicy, RetryPolicyOptions } from './policy.ts';
export type { PoolOptions } from './request-context.ts';
export type { TlsOptions } from './connector.ts';
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
