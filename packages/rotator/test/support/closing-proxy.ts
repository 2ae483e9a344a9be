import { once } from 'node:events';
import net from 'node:net';
import { use } from './rig.ts';

/** How a connection is closed after a response on it. */
export type Closing = (socket: net.Socket, response: string) => void;

/** What is spoken before the requests: nothing, CONNECT, or SOCKS5. */
export type Speech = 'absolute' | 'tunnel' | 'socks5h';

export interface ClosingProxy {
  readonly url: string;
  readonly stats: { connections: number; requests: number };
  /** Requests in the order of their arrival: the number of the connection, and what came first in it. */
  readonly requests: readonly { readonly connection: number; readonly line: string }[];
}

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/**
 * A proxy and its target in one, which answers each request with "ok" and then does with the
 * connection what `close` does. It never says `Connection: close`.
 */
export async function startClosingProxy(speech: Speech, close: Closing): Promise<ClosingProxy> {
  const stats = { connections: 0, requests: 0 };
  const requests: { connection: number; line: string }[] = [];
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    const connection = ++stats.connections;
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    const greeting = { absolute: 0, tunnel: 1, socks5h: 2 }[speech];
    let greeted = 0;
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      if (greeted < greeting) {
        greeted++;
        if (speech === 'tunnel') socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        else if (greeted === 1) socket.write(Buffer.from([5, 0]));
        else socket.write(Buffer.from([5, 0, 0, 1, 127, 0, 0, 1, 0, 80]));
        return;
      }
      text += chunk.toString('latin1');
      for (;;) {
        const end = text.indexOf('\r\n\r\n');
        const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
        if (end === -1 || text.length < end + 4 + length) return;
        stats.requests++;
        requests.push({ connection, line: text.slice(0, text.indexOf('\r\n')) });
        text = text.slice(end + 4 + length);
        close(socket, ok);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  use({
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  });
  const { port } = server.address() as net.AddressInfo;
  const scheme = speech === 'socks5h' ? 'socks5h' : 'http';
  return { url: `${scheme}://127.0.0.1:${port}`, stats, requests };
}
