/** What a consumer of each package would write first: the same code for ESM, CommonJS and TypeScript. */
export interface Use {
  readonly names: string;
  readonly body: string;
  readonly prints: string;
  /** What must not come with it. */
  readonly without: readonly string[];
}

/** Packages that are programs: `cli.test.ts` runs them. */
export const commands: readonly string[] = ['@whirl/cli'];

/** Packages that are ES modules alone: `server.test.ts` has their consumer. */
export const modules: readonly string[] = ['@whirl/server'];

const http = ['undici', 'zod', 'socks'];

export const uses: Readonly<Record<string, Use>> = {
  '@whirl/events': {
    names: 'createBus',
    body: `
      const bus = createBus();
      bus.on('hello', (event) => console.log(event));
      bus.emit('hello', 'world');`,
    prints: 'world\n',
    without: http,
  },
  '@whirl/backoff': {
    names: 'exponential, retry',
    body: `
      console.log(exponential({ baseMs: 1000 }).delay(2));
      void retry(async ({ attempt }) => console.log('attempt', attempt));`,
    prints: '4000\nattempt 0\n',
    without: [...http, '@whirl/circuit-breaker'],
  },
  '@whirl/circuit-breaker': {
    names: 'CircuitBreaker',
    body: `
      const breaker = new CircuitBreaker({ name: 'db', failureThreshold: 1 });
      breaker.fail(breaker.acquire());
      console.log(breaker.state, breaker.acquire());`,
    prints: 'open 0\n',
    without: [...http, '@whirl/backoff'],
  },
  '@whirl/selector': {
    names: 'Selector, roundRobin',
    body: `
      const selector = new Selector({ strategy: roundRobin() });
      selector.add({ id: 'a' });
      console.log(selector.select()?.id);`,
    prints: 'a\n',
    without: http,
  },
  '@whirl/metrics': {
    names: 'RetryMetrics',
    body: `
      console.log(new RetryMetrics().getSummary().totalRequests);`,
    prints: '0\n',
    without: [...http, 'prom-client', '@opentelemetry/api'],
  },
  '@whirl/fleet': {
    names: 'joinFleet, memoryStore',
    body: `
      const circuits = () => [];
      const bus = { on: () => () => {}, emit() {}, has: () => false };
      const pool = { bus, circuits, now: () => Date.now(), random: Math.random, picks: 0 };
      const rotator = { share: (join) => join(pool) };
      const fleet = joinFleet({ pool: 'p', store: memoryStore(), rotator });
      console.log(fleet.state);
      void fleet.close();`,
    prints: 'joining\n',
    without: [...http, '@whirl/rotator', 'ioredis'],
  },
  '@whirl/gateway': {
    names: 'createGateway',
    body: `
      try {
        createGateway(undefined, { host: '0.0.0.0' });
      } catch (error) {
        console.log(error.name);
      }`,
    prints: 'TypeError\n',
    without: [],
  },
  '@whirl/rotator': {
    names: 'ProxyRotator, parseProxy',
    body: `
      const rotator = new ProxyRotator({ proxies: [parseProxy('127.0.0.1:9')] });
      console.log(rotator.proxies().length);
      void rotator.close();`,
    prints: '1\n',
    without: [],
  },
};
