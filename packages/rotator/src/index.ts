export type { SharedCircuit, SharedPool } from './pool/shared-pool.ts';
export * from './errors.ts';
export type { AttemptRecord } from './attempt-record.ts';
export {
  parseProxyList,
  proxyListEntries,
  readProxyList,
  readProxyListAsync,
} from './proxy/proxy-list.ts';
export type { ProxyListEntry, ProxyListReport } from './proxy/proxy-list.ts';
export type { ProxyListKind } from './proxy/list-entries.ts';
export type { ParseProxyOptions, ProxyFormat, ProxyListOptions } from './proxy/list-options.ts';
export { parseProxy } from './proxy/parse-proxy.ts';
export type { Proxy, ProxyInput, ProxyOptions } from './proxy/proxy.ts';
export type { ProxyHeaders } from './proxy/proxy-headers.ts';
export type { ProxyProtocol } from './proxy/protocols.ts';
export { AccessRules } from './access-rules.ts';
export type { AccessOptions } from './access-rules.ts';
export { presets } from './policy/presets.ts';
export { noRetries } from './policy/retry-policy.ts';
export type { RetryPolicy, RetryPolicyOptions } from './policy/retry-policy.ts';
export type { FailuresByBlame, TargetSnapshot, TargetState } from './blame/targets.ts';
export { banProxy, banTarget, throttle } from './policy/ban-rules.ts';
export type { JudgedResponse, BanRule, Verdict } from './policy/ban-rules.ts';
export type { TunnelMode } from './connection/connection-pool-options.ts';
export type { CircuitOptions } from './pool/circuit-options.ts';
export type { HealthCheckOptions } from './request/health-checks.ts';
export type { HedgeOptions } from './policy/hedging.ts';
export type { Logger } from './events/logging.ts';
export type { PoolEntry } from './pool/pool-entry.ts';
export type {
  CircuitSnapshot,
  ExitsSnapshot,
  RequestSnapshot,
  ProxySnapshot,
} from './snapshots.ts';
export type { GroupSnapshot } from './pool/machine-group.ts';
export type { ExitOptions, ExitTemplate } from './proxy/exit-template.ts';
export type { Provider, ProviderOptions } from './proxy/provider-options.ts';
export { ProxyRotator } from './proxy-rotator.ts';
export type { BodyContent, BodyFunction, RequestBody } from './message/encode-body.ts';
export type { RoutingOptions } from './request/request-options.ts';
export type { EventSourceLimits, WebSocketLimits } from './rotator-dispatcher.ts';
export type { RotatorOptions } from './rotator-options.ts';
export type { TlsOptions } from './connection/tls-client.ts';
export type {
  FetchOptions,
  RequestOptions,
  RotatorResponse,
  RotatorView,
  Verb,
} from './rotator-view.ts';
export type {
  ConnectOptions,
  FirstFlight,
  ForwardOptions,
  SecureOptions,
} from './request/connect-options.ts';
export type { ForwardedTunnel, ForwardListener } from './request/forwarded-tunnel.ts';
export type { ClosedBy } from './request/tunnel-owner.ts';
export type { Tunnel } from './request/tunnel.ts';
export type { Agents, AgentsOptions } from './agents.ts';
