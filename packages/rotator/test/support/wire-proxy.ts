import { once } from 'node:events';
import net from 'node:net';

/** What a proxy does with a request for a host; a number: it says this status itself. */
export type Manner =
  'forward' | 'reset' | 'fin' | 'hang' | 'reset-at-accept' | 'connect-then-reset' | number;

export interface WireProxy {
  readonly url: string;
  readonly id: string;
  /** Requests by host, CONNECT among them. */
  readonly asked: ReadonlyMap<string, number>;
  /** Takes effect for the next connection and request. */
  behave(manner: Manner | ((host: string, connect: boolean) => Manner)): void;
  readonly close: () => Promise<void>;
}

/** Tears a connection: RST, now. */
export function tear(socket: net.Socket): void {
  (socket as net.Socket & { resetAndClosing: boolean }).resetAndClosing = true;
  socket.destroy();
}

/** Follows the sockets of a server, so that they can be ended with it. */
export function listenOn(
  server: net.Server,
  sockets: Set<net.Socket>,
): Promise<{ readonly port: number; readonly close: () => Promise<void> }> {
  server.on('connection', (socket: net.Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      resolve({
        port: (server.address() as net.AddressInfo).port,
        close: async () => {
          for (const socket of sockets) socket.destroy();
          if (!server.listening) return;
          server.close();
          await once(server, 'close');
        },
      });
    });
  });
}

/**
 * A forward proxy that copies bytes, whatever they are: what a target sends arrives as it was sent. It
 * knows its targets by name (`ports`), and says 502 for a name that it does not know. One request a
 * connection.
 */
export async function startWireProxy(ports: ReadonlyMap<string, number>): Promise<WireProxy> {
  const sockets = new Set<net.Socket>();
  const asked = new Map<string, number>();
  let choose: (host: string, connect: boolean) => Manner = () => 'forward';
  const server = net.createServer((socket) => {
    if (choose('', false) === 'reset-at-accept') {
      tear(socket);
      return;
    }
    let head = Buffer.alloc(0);
    const onData = (chunk: Buffer) => {
      head = Buffer.concat([head, chunk]);
      if (!head.includes('\r\n\r\n')) return;
      socket.off('data', onData).pause();
      const [method = '', to = ''] = head.toString('latin1').split(' ', 2);
      const connect = method === 'CONNECT';
      const host = connect ? to.slice(0, to.lastIndexOf(':')) : new URL(to).hostname;
      asked.set(host, (asked.get(host) ?? 0) + 1);
      answer(socket, choose(host, connect), host, connect, head);
    };
    socket.on('data', onData);
  });
  const answer = (
    socket: net.Socket,
    manner: Manner,
    host: string,
    connect: boolean,
    head: Buffer,
  ) => {
    const say = (status: number) =>
      socket.end(`HTTP/1.1 ${status} Status\r\nContent-Length: 0\r\n\r\n`);
    if (typeof manner === 'number') say(manner);
    else if (manner === 'reset' || manner === 'reset-at-accept') tear(socket);
    else if (manner === 'fin') socket.end();
    else if (manner === 'connect-then-reset') {
      if (!connect) tear(socket);
      else socket.write('HTTP/1.1 200 OK\r\n\r\n', () => tear(socket));
    } else if (manner === 'forward') {
      const port = ports.get(host);
      if (port === undefined) {
        say(502);
        return;
      }
      const upstream = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
      sockets.add(upstream);
      let torn = false;
      upstream.on('error', () => {
        torn = true;
        tear(socket);
      });
      upstream.on('close', () => {
        sockets.delete(upstream);
        if (!torn) socket.end();
      });
      socket.on('close', () => upstream.destroy());
      upstream.once('connect', () => {
        if (connect) socket.write('HTTP/1.1 200 OK\r\n\r\n');
        else upstream.write(head);
        socket.pipe(upstream);
        upstream.pipe(socket);
      });
    }
  };
  const { port, close } = await listenOn(server, sockets);
  return {
    url: `http://127.0.0.1:${port}`,
    id: `127.0.0.1:${port}`,
    asked,
    behave: (manner) => {
      choose = typeof manner === 'function' ? manner : () => manner;
    },
    close,
  };
}
