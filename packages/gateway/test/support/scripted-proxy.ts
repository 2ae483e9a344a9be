import net from 'node:net';

/** What a scripted proxy does once it has the head of a CONNECT. */
export type Script = (socket: net.Socket, tunnel: ScriptedTunnel) => void;

/** One CONNECT that a scripted proxy has received. */
export interface ScriptedTunnel {
  readonly authority: string;
  readonly head: string;
  /** What came behind the head so far. */
  readonly received: Buffer;
  /** How the client's side ended. */
  ended: 'fin' | 'reset' | undefined;
  /** Another socket carries its bytes: a FIN of the client is not its end. */
  passes: boolean;
  /** Calls when so many bytes of the tunnel have come. */
  whenReceived(bytes: number, call: () => void): void;
}

export interface ScriptedProxy {
  readonly url: string;
  readonly id: string;
  readonly tunnels: readonly ScriptedTunnel[];
  /** Sockets that are open now. */
  openSockets(): number;
  close(): Promise<void>;
}

const established = 'HTTP/1.1 200 Connection established\r\n\r\n';

/** A proxy on loopback that does with each CONNECT what a test says. */
export async function startScripted(script: Script): Promise<ScriptedProxy> {
  const tunnels: ScriptedTunnel[] = [];
  const sockets = new Set<net.Socket>();
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    let head = Buffer.alloc(0);
    let received = Buffer.alloc(0);
    const waiting: { readonly bytes: number; readonly call: () => void }[] = [];
    const tell = () => {
      for (const each of waiting.splice(0)) {
        if (received.length >= each.bytes) each.call();
        else waiting.push(each);
      }
    };
    const tunnel: ScriptedTunnel = {
      authority: '',
      head: '',
      get received() {
        return received;
      },
      ended: undefined,
      passes: false,
      whenReceived(bytes, call) {
        waiting.push({ bytes, call });
        tell();
      },
    };
    socket.on('error', () => (tunnel.ended = 'reset'));
    socket.on('end', () => {
      tunnel.ended ??= 'fin';
      if (!tunnel.passes) socket.end();
    });
    socket.on('data', (chunk: Buffer) => {
      if (tunnel.head !== '') {
        received = Buffer.concat([received, chunk]);
        tell();
        return;
      }
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf('\r\n\r\n');
      if (end === -1) return;
      const text = head.toString('latin1', 0, end);
      Object.assign(tunnel, { head: text, authority: text.split(' ')[1] });
      received = head.subarray(end + 4);
      tunnels.push(tunnel);
      script(socket, tunnel);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    id: `127.0.0.1:${port}`,
    tunnels,
    openSockets: () => sockets.size,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function tear(socket: net.Socket): void {
  Object.assign(socket, { resetAndClosing: true });
  socket.destroy();
}

/** Opens the tunnel and lets another server, or a function, have it. */
function pass(socket: net.Socket, tunnel: ScriptedTunnel): void {
  tunnel.passes = true;
  const { authority } = tunnel;
  const { hostname, port } = new URL(`http://${authority}`);
  socket.pause();
  const upstream = net.connect({
    port: Number(port) || 80,
    host: hostname.replace(/^\[|\]$/g, ''),
    allowHalfOpen: true,
  });
  socket.removeAllListeners('data');
  upstream.on('connect', () => {
    socket.write(established);
    socket.pipe(upstream).pipe(socket);
  });
  upstream.on('error', () => tear(socket));
  socket.on('error', () => tear(upstream));
  socket.on('close', () => upstream.destroy());
  upstream.on('close', () => socket.destroySoon());
}

const at = (bytes: number, act: (socket: net.Socket) => void): Script => {
  return (socket, tunnel) => {
    socket.write(established);
    tunnel.whenReceived(bytes, () => act(socket));
  };
};
const page = 'HTTP/1.1 403 Forbidden\r\nContent-Length: 7\r\n\r\nbanned!';

/** What proxies do, good and bad. `bytes`: of the tunnel, after which they do it. */
export const scripts = {
  pass: pass as Script,
  fin: (bytes: number): Script => at(bytes, (socket) => void socket.end()),
  rst: (bytes: number): Script => at(bytes, tear),
  silent: at(0, () => {}),
  page: (bytes: number): Script => at(bytes, (socket) => void socket.write(page)),
  says: (text: string | Buffer, bytes = 0): Script =>
    at(bytes, (socket) => void socket.write(text)),
  status: (line: string): Script => {
    return (socket) => void socket.end(`HTTP/1.1 ${line}\r\nContent-Length: 0\r\n\r\n`);
  },
  mute: (() => {}) as Script,
  /** Gives the target what it is sent, and loses the response. */
  loses: ((socket, tunnel) => {
    const { hostname, port } = new URL(`http://${tunnel.authority}`);
    const upstream = net.connect(Number(port), hostname);
    upstream.on('data', () => {
      upstream.destroy();
      tear(socket);
    });
    upstream.on('error', () => {});
    socket.on('data', (chunk: Buffer) => upstream.write(chunk));
    upstream.on('connect', () => socket.write(established));
  }) as Script,
};
