import http from 'node:http';
import https from 'node:https';
import type net from 'node:net';
import { certificateOf } from '@whirl/testkit';
import { WebSocketServer } from 'ws';

/** What every recipe is to print. */
export const stock = 'In stock: 3';

const html = `<!doctype html><title>Shop</title><h1>${stock}</h1>`;

export interface Shop {
  /** Its ports on 127.0.0.1, by the names under which the recipes ask for it. */
  readonly targets: Readonly<Record<string, number>>;
  /** The certificate to trust, in PEM. */
  readonly ca: string;
  close(): Promise<void>;
}

/** What the recipes ask for: a page with and without TLS, a WebSocket, and as much of S3 as two commands need. */
export async function startShop(): Promise<Shop> {
  const certificate = await certificateOf('*.example.com');
  const servers = [http.createServer(serve), https.createServer(certificate, serve)];
  const webSockets = new WebSocketServer({ noServer: true });
  webSockets.on('connection', (socket) => socket.on('message', () => socket.send(stock)));
  const sockets = new Set<net.Socket>();
  for (const server of servers) {
    server.on('connection', (socket: net.Socket) => {
      sockets.add(socket.on('close', () => sockets.delete(socket)));
    });
    server.on('upgrade', (request, socket, head) => {
      webSockets.handleUpgrade(request, socket, head, (webSocket) =>
        webSockets.emit('connection', webSocket, request),
      );
    });
  }
  const [plain, secure] = await Promise.all(servers.map(listen));
  return {
    ca: certificate.cert,
    targets: {
      'shop.example.com:80': plain as number,
      'shop.example.com:443': secure as number,
      's3.example.com:443': secure as number,
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
    },
  };
}

/** By their bucket and key. */
const objects = new Map<string, Buffer>();

function serve(request: http.IncomingMessage, response: http.ServerResponse): void {
  const { method, url = '/', headers } = request;
  if (headers.host?.startsWith('s3.') !== true) {
    if (url === '/') response.writeHead(200, { 'content-type': 'text/html' }).end(html);
    else response.writeHead(404).end();
    return;
  }
  const key = new URL(url, 'https://s3.example.com').pathname;
  if (method !== 'PUT') {
    const object = objects.get(key);
    response.writeHead(object === undefined ? 404 : 200).end(object);
    return;
  }
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const body = Buffer.concat(chunks);
    objects.set(key, headers['x-amz-trailer'] === undefined ? body : withoutChunks(body));
    response.writeHead(200, { etag: '"1"' }).end();
  });
}

/** The encoding `aws-chunked`: the size of a chunk in hexadecimal, its bytes, and at the end trailers. */
function withoutChunks(body: Buffer): Buffer {
  const chunks: Buffer[] = [];
  for (let at = 0; ;) {
    const end = body.indexOf('\r\n', at);
    const size = Number.parseInt(body.toString('latin1', at, end), 16);
    if (!(size > 0)) return Buffer.concat(chunks);
    chunks.push(body.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
}

async function listen(server: http.Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as net.AddressInfo).port;
}
