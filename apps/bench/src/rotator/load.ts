/** What a load came to. */
export interface Load {
  readonly requestsPerSecond: number;
  /** CPU time of this process for each request, in microseconds. */
  readonly cpuUs: number;
  readonly succeeded: number;
  readonly failed: number;
  /** Sorted, of all requests, in milliseconds. */
  readonly latenciesMs: readonly number[];
}

/** Sends `requests` requests, `concurrency` at a time. */
export async function load(
  send: () => Promise<unknown>,
  { requests, concurrency }: { requests: number; concurrency: number },
): Promise<Load> {
  const latenciesMs: number[] = [];
  let left = requests;
  let succeeded = 0;
  let failed = 0;
  const cpu = process.cpuUsage();
  const start = performance.now();
  const worker = async () => {
    while (left-- > 0) {
      const begun = performance.now();
      try {
        await send();
        succeeded++;
      } catch {
        failed++;
      }
      latenciesMs.push(performance.now() - begun);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  latenciesMs.sort((a, b) => a - b);
  return {
    requestsPerSecond: requests / seconds,
    cpuUs: (user + system) / requests,
    succeeded,
    failed,
    latenciesMs,
  };
}
