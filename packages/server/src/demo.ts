import type { ProxyOptions, ProxyRotator, RotatorOptions } from '@whirl/rotator';

/** A pool to be watched: its proxies, what they reach, and the traffic through them. */
export interface Demo {
  readonly proxies: readonly ProxyOptions[];
  readonly targetUrl: string;
  /** Made for being watched. What the configuration says goes first. */
  readonly rotator: Required<Pick<RotatorOptions, 'strategy' | 'retryPolicy' | 'circuitBreaker'>>;
  /** Sends steady traffic and lets trouble come and go, until close. */
  run(rotator: ProxyRotator): void;
  close(): Promise<void>;
}
