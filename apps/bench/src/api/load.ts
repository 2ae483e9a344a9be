// A process of its own: asks the API for requests, and tells what came back.
import http from 'node:http';
import { send } from './http.ts';

export interface Job {
  readonly address: string;
  readonly target: string;
  readonly seconds: number;
  /** Requests under way at once. */
  readonly concurrency: number;
  /** Requests a second in all; without it each follows the one before at once. */
  readonly rate?: number | undefined;
  /** Event streams that are read meanwhile. */
  readonly streams?: number | undefined;
}

export interface Done {
  readonly requests: number;
  readonly latenciesMs: readonly number[];
  /** By status of the API's response. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Server errors whose attempts do not account for them. */
  readonly unexplained: readonly string[];
  readonly eventBytes: number;
}

/** A 502 is the fleet's doing when every attempt failed, or the last response was a bad one. */
function explains(text: string): boolean {
  const { details } = JSON.parse(text) as { details?: { attempts?: { outcome: string }[] } };
  const { attempts = [] } = details ?? {};
  return attempts.length > 0 && attempts.every(({ outcome }) => outcome !== 'success');
}

async function run(job: Job): Promise<Done> {
  const body = JSON.stringify({ url: job.target });
  const latenciesMs: number[] = [];
  const statuses: Record<string, number> = {};
  const unexplained: string[] = [];
  let eventBytes = 0;
  const streams = Array.from({ length: job.streams ?? 0 }, () =>
    http.get(`${job.address}/api/v1/events`, { agent: false }, (response) => {
      response.on('data', (chunk: Buffer) => (eventBytes += chunk.length));
      response.on('error', () => {});
    }),
  );
  const startedAt = performance.now();
  const endAt = startedAt + job.seconds * 1000;
  let begun = 0;
  const worker = async () => {
    for (;;) {
      if (job.rate !== undefined) {
        const due = startedAt + (begun++ / job.rate) * 1000;
        const wait = due - performance.now();
        if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      }
      const at = performance.now();
      if (at >= endAt) return;
      const { statusCode, text } = await send(`${job.address}/api/v1/request`, {
        method: 'POST',
        body,
      });
      latenciesMs.push(performance.now() - at);
      statuses[statusCode] = (statuses[statusCode] ?? 0) + 1;
      if (statusCode >= 500 && !(statusCode === 502 && explains(text))) unexplained.push(text);
    }
  };
  await Promise.all(Array.from({ length: job.concurrency }, worker));
  for (const stream of streams) stream.on('error', () => {}).destroy();
  return {
    requests: latenciesMs.length,
    latenciesMs: latenciesMs.sort((a, b) => a - b),
    statuses,
    unexplained: unexplained.slice(0, 20),
    eventBytes,
  };
}

process.on('message', (job: Job) => {
  run(job).then(
    (done) => process.send?.(done),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
process.on('disconnect', () => process.exit());
