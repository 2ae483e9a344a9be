// A process of its own: sends a list to the API, and asks /health all the while.
import http from 'node:http';

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

const agent = new http.Agent({ keepAlive: true });

function send(
  url: string,
  { method = 'GET', contentType = '', body = '' } = {},
): Promise<{ statusCode: number; text: string }> {
  return new Promise((resolve, reject) => {
    const headers =
      body === '' ? {} : { 'content-type': contentType, 'content-length': Buffer.byteLength(body) };
    const request = http.request(url, { method, agent, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ statusCode: response.statusCode ?? 0, text }));
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end(body);
  });
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
