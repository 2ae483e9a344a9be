// A process of its own: sends a list to the API, and asks /health all the while.
import { send } from './http.ts';

export interface ImportJob {
  readonly address: string;
  readonly path: string;
  readonly contentType: string;
  readonly body: string;
}

export interface ImportDone {
  readonly statusCode: number;
  readonly text: string;
  readonly tookMs: number;
  /** What each response to /health took, sorted. */
  readonly healthMs: readonly number[];
}

async function run({ address, path, contentType, body }: ImportJob): Promise<ImportDone> {
  const healthMs: number[] = [];
  let importing = true;
  const startedAt = performance.now();
  const imported = send(address + path, { method: 'POST', contentType, body }).finally(() => {
    importing = false;
  });
  while (importing) {
    const at = performance.now();
    await send(`${address}/health`);
    healthMs.push(performance.now() - at);
  }
  const { statusCode, text } = await imported;
  return {
    statusCode,
    text: text.slice(0, 300),
    tookMs: performance.now() - startedAt,
    healthMs: healthMs.sort((a, b) => a - b),
  };
}

process.on('message', (job: ImportJob) => {
  run(job).then(
    (done) => process.send?.(done),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
process.on('disconnect', () => process.exit());
