import { createHash } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

/** What becomes of one upload. `at`: after so many bytes. */
export type Fate =
  | { readonly kind: 'store' }
  | { readonly kind: 'reset'; readonly at: number }
  | { readonly kind: 'reset-unanswered' }
  | { readonly kind: 'refuse-late' }
  | { readonly kind: 'refuse-early' }
  | { readonly kind: 'refuse-and-close'; readonly at: number };

export interface Stored {
  readonly url: string | undefined;
  readonly size: number;
  readonly digest: string;
  readonly bytes: Buffer | undefined;
  readonly contentType: string | undefined;
  readonly contentLength: string | undefined;
}

export interface UploadTarget {
  readonly url: string;
  /** Fates of the uploads to come, in their order; after them `store`. */
  fates: Fate[];
  /** What was answered with 200. */
  readonly stored: Stored[];
  /** Uploads begun. */
  readonly begun: () => number;
  close(): void;
}

export const digestOf = (bytes: Uint8Array): string =>
  createHash('sha1').update(bytes).digest('hex');

/** A proxy and its target in one server: it takes requests in absolute form and stores what is uploaded. */
export async function startUploadTarget({ keep = false } = {}): Promise<UploadTarget> {
  let begun = 0;
  const server = http.createServer((request, response) => {
    begun++;
    const fate = target.fates.shift() ?? { kind: 'store' };
    const hash = createHash('sha1');
    const chunks: Buffer[] = [];
    let size = 0;
    const reset = () => void request.socket.resetAndDestroy();
    request.on('error', () => {});
    response.on('error', () => {});
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      hash.update(chunk);
      if (keep) chunks.push(chunk);
      if (fate.kind === 'reset' && size >= fate.at) reset();
      if (fate.kind === 'refuse-and-close' && size >= fate.at) {
        response.writeHead(503, { connection: 'close' }).end('no');
        request.pause();
      }
    });
    if (fate.kind === 'reset' && fate.at === 0) reset();
    if (fate.kind === 'refuse-early') response.writeHead(503).end('no');
    request.on('end', () => {
      if (fate.kind === 'reset-unanswered' || fate.kind === 'reset') reset();
      else if (fate.kind !== 'store') {
        if (!response.headersSent) response.writeHead(503).end('no');
      } else {
        target.stored.push({
          url: request.url,
          size,
          digest: hash.digest('hex'),
          bytes: keep ? Buffer.concat(chunks) : undefined,
          contentType: request.headers['content-type'],
          contentLength: request.headers['content-length'],
        });
        response.end(String(size));
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const target: UploadTarget = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    fates: [],
    stored: [],
    begun: () => begun,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
  return target;
}
