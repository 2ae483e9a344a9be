// Child process: a gateway before the proxies of its arguments. It says what it holds, and what it has done, when asked.
import { createGateway, type GatewayStats } from '@whirl/gateway';
import { ProxyRotator } from '@whirl/rotator';

/** What the process holds and has done. */
export interface Holding {
  readonly heapBytes: number;
  readonly rssBytes: number;
  /** Sockets of the process, the listening one left out. */
  readonly sockets: number;
  readonly requestsInFlight: number;
  readonly stats: GatewayStats;
  readonly counts: Counts;
  /** Requests that the metrics have seen end. */
  readonly measured: number;
}

/** Events told so far. */
export interface Counts {
  requestsBegun: number;
  requestsEnded: number;
  attemptsBegun: number;
  attemptsEnded: number;
  tunnelsOpened: number;
  tunnelsClosed: number;
  /** Tunnels that were asked for and never opened, by what ended them. */
  tunnelsFailed: number;
  tunnelsLeft: number;
}

const proxies = process.argv.slice(2);
if (process.send !== undefined) {
  const rotator = new ProxyRotator({
    proxies,
    circuitBreaker: { failureThreshold: 3, openMs: 2000 },
    retryPolicy: { maxAttempts: 10, attemptTimeoutMs: 1000, connectTimeoutMs: 500 },
  });
  const gateway = createGateway(rotator, { port: 0, firstByteMs: 500, quietMs: 500 });
  const { port } = await gateway.listen();
  const counts: Counts = {
    requestsBegun: 0,
    requestsEnded: 0,
    attemptsBegun: 0,
    attemptsEnded: 0,
    tunnelsOpened: 0,
    tunnelsClosed: 0,
    tunnelsFailed: 0,
    tunnelsLeft: 0,
  };
  const opening = new Set<string>();
  const { bus } = rotator;
  bus.on('request:start', ({ requestId, method }) => {
    counts.requestsBegun++;
    if (method === 'CONNECT') opening.add(requestId);
  });
  bus.on('request:end', ({ requestId, outcome }) => {
    counts.requestsEnded++;
    if (!opening.delete(requestId)) return;
    if (outcome === 'aborted') counts.tunnelsLeft++;
    else counts.tunnelsFailed++;
  });
  bus.on('attempt:start', () => counts.attemptsBegun++);
  bus.on('attempt:end', () => counts.attemptsEnded++);
  bus.on('tunnel:open', ({ requestId }) => {
    counts.tunnelsOpened++;
    opening.delete(requestId);
  });
  bus.on('tunnel:end', () => counts.tunnelsClosed++);
  process.on('message', () => {
    (globalThis as { gc?: () => void }).gc?.();
    const { heapUsed, rss } = process.memoryUsage();
    process.send?.({
      heapBytes: heapUsed,
      rssBytes: rss,
      sockets: process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length,
      requestsInFlight: rotator.inFlight().length,
      stats: gateway.stats(),
      counts,
      measured: rotator.getRetryMetrics().getSummary().totalRequests,
    } satisfies Holding);
  });
  process.on('disconnect', () => process.exit());
  process.send({ port });
}
