import net from 'node:net';

export interface SocksServer {
  /** With its credentials. */
  readonly url: string;
  readonly id: string;
  readonly port: number;
  readonly connections: number;
  close(): Promise<void>;
}

export interface SocksServerOptions {
  readonly username?: string;
  readonly password?: string;
}

const handshake = 5;

/** How many bytes the address at `at` takes, its type byte included; undefined: not all here. */
function addressLength(bytes: Buffer, at: number): number | undefined {
  switch (bytes[at]) {
    case 1:
      return 5;
    case 3:
      return bytes[at + 1] === undefined ? undefined : 2 + (bytes[at + 1] as number);
    case 4:
      return 17;
    default:
      return bytes[at] === undefined ? undefined : 0;
  }
}

function addressOf(bytes: Buffer, at: number): string {
  if (bytes[at] === 1) return [...bytes.subarray(at + 1, at + 5)].join('.');
  if (bytes[at] === 3) return bytes.toString('latin1', at + 2, at + 2 + (bytes[at + 1] as number));
  const groups = Array.from({ length: 8 }, (_, i) =>
    bytes.readUInt16BE(at + 1 + 2 * i).toString(16),
  );
  return groups.join(':');
}

/**
 * Starts a SOCKS5 server on loopback (RFC 1928, and RFC 1929 with credentials): CONNECT to IPv4,
 * IPv6 and names. Our own, because the package of that name on the registry dates from 2016.
 */
export async function startSocks5(options: SocksServerOptions = {}): Promise<SocksServer> {
  const { username, password = '' } = options;
  const sockets = new Set<net.Socket>();
  let connections = 0;
  const track = (socket: net.Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
  };
  const server = net.createServer((socket) => {
    connections++;
    track(socket);
    let bytes = Buffer.alloc(0);
    let step: 'greeting' | 'credentials' | 'request' = 'greeting';

    const greet = (): boolean => {
      const methods = bytes[1];
      if (methods === undefined || bytes.length < 2 + methods) return false;
      const wanted = username === undefined ? 0 : 2;
      const offered = bytes.subarray(2, 2 + methods).includes(wanted);
      bytes = bytes.subarray(2 + methods);
      socket.write(Buffer.from([handshake, offered ? wanted : 255]));
      if (!offered) socket.end();
      step = wanted === 2 ? 'credentials' : 'request';
      return offered;
    };
    const check = (): boolean => {
      const userLength = bytes[1];
      if (userLength === undefined) return false;
      const passLength = bytes[2 + userLength];
      if (passLength === undefined || bytes.length < 3 + userLength + passLength) return false;
      const user = bytes.toString('utf8', 2, 2 + userLength);
      const pass = bytes.toString('utf8', 3 + userLength, 3 + userLength + passLength);
      bytes = bytes.subarray(3 + userLength + passLength);
      const good = user === username && pass === password;
      socket.write(Buffer.from([1, good ? 0 : 1]));
      if (!good) socket.end();
      step = 'request';
      return good;
    };
    const connect = (): boolean => {
      const length = addressLength(bytes, 3);
      if (length === undefined || bytes.length < 3 + length + 2) return false;
      const reply = (code: number) => Buffer.from([handshake, code, 0, 1, 0, 0, 0, 0, 0, 0]);
      if (bytes[1] !== 1 || length === 0) {
        socket.end(reply(bytes[1] === 1 ? 8 : 7));
        return false;
      }
      const host = addressOf(bytes, 3);
      const port = bytes.readUInt16BE(3 + length);
      const rest = bytes.subarray(5 + length);
      socket.off('data', onData);
      const upstream = net.connect(port, host, () => {
        socket.write(reply(0));
        if (rest.length > 0) upstream.write(rest);
        socket.pipe(upstream).pipe(socket);
      });
      track(upstream);
      upstream.on('error', () => socket.end(reply(5)));
      upstream.on('close', () => socket.destroy());
      socket.on('close', () => upstream.destroy());
      return false;
    };
    const steps = { greeting: greet, credentials: check, request: connect };
    const onData = (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      while (steps[step]());
    };
    socket.on('data', onData);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  const credentials =
    username === undefined
      ? ''
      : `${encodeURIComponent(username)}:${encodeURIComponent(password)}@`;
  return {
    url: `socks5://${credentials}127.0.0.1:${port}`,
    id: username === undefined ? `127.0.0.1:${port}` : `${username}@127.0.0.1:${port}`,
    port,
    get connections() {
      return connections;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
