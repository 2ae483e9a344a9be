import net from 'node:net';
import { listen, OpenSockets, stop } from './open-sockets.ts';

export interface SocksServer {
  /** With its credentials. */
  readonly url: string;
  /** As the rotator names it: `host:port`, or `user@host:port`. */
  readonly id: string;
  readonly port: number;
  readonly connections: number;
  /** The first 1,000 destinations asked for, as they came over the wire. */
  readonly destinations: readonly {
    readonly version: 4 | 5;
    readonly host: string;
    /** `name` also for the name of SOCKS4a. */
    readonly kind: 'ipv4' | 'ipv6' | 'name';
    readonly port: number;
  }[];
  behave(behaviour: SocksBehaviour): void;
  /** Sockets open now, to clients and to targets. */
  openSockets(): number;
  /** Resolves when no socket is open. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

/**
 * `ok` serves; `hang` never responds; `close` ends each connection when its first bytes arrive;
 * `garbage` responds with what is not SOCKS; `reject` refuses the destination (general failure);
 * `close-after-connect` grants, then ends; `silent-after-connect` grants, then nothing.
 */
export type SocksBehaviour =
  'ok' | 'hang' | 'close' | 'garbage' | 'reject' | 'close-after-connect' | 'silent-after-connect';

export interface SocksServerOptions {
  /** 4 understands SOCKS4a too. Default 5. */
  readonly version?: 4 | 5;
  /** Wants these; SOCKS4 knows a user id alone. */
  readonly username?: string;
  readonly password?: string;
  /** The scheme of `url`. Default `socks4` or `socks5`. */
  readonly scheme?: string;
  /** Names that this proxy resolves itself, as a hosts file would. */
  readonly hosts?: Readonly<Record<string, string>>;
  readonly behaviour?: SocksBehaviour;
}

type Destination = SocksServer['destinations'][number];
/** What became of the bytes so far: more are needed, a reply to send, a refusal, a destination. */
type Step =
  | undefined
  | { readonly reply: Buffer; readonly used: number; readonly end?: boolean }
  | { readonly destination: Destination; readonly used: number };

function five(code: number): Buffer {
  return Buffer.from([5, code, 0, 1, 0, 0, 0, 0, 0, 0]);
}

function four(code: number): Buffer {
  return Buffer.from([0, code, 0, 0, 0, 0, 0, 0]);
}

/** RFC 1928 and, with credentials, RFC 1929. */
function* socks5(username: string | undefined, password: string): Generator<Step, void, Buffer> {
  let bytes = yield undefined;
  while (bytes.length < 2 || bytes.length < 2 + (bytes[1] as number)) bytes = yield undefined;
  const wanted = username === undefined ? 0 : 2;
  let used = 2 + (bytes[1] as number);
  const offered = bytes.subarray(2, used).includes(wanted);
  bytes = yield { reply: Buffer.from([5, offered ? wanted : 255]), used, end: !offered };
  if (wanted === 2) {
    for (;;) {
      const userLength = bytes[1];
      const passLength = userLength === undefined ? undefined : bytes[2 + userLength];
      used = 3 + (userLength ?? 0) + (passLength ?? 0);
      if (passLength !== undefined && bytes.length >= used) break;
      bytes = yield undefined;
    }
    const passAt = 3 + (bytes[1] as number);
    const good =
      bytes.toString('utf8', 2, passAt - 1) === username &&
      bytes.toString('utf8', passAt, used) === password;
    bytes = yield { reply: Buffer.from([1, good ? 0 : 1]), used, end: !good };
  }
  const lengths: Record<number, number> = { 1: 4, 4: 16 };
  while (bytes.length < 5) bytes = yield undefined;
  const named = bytes[3] === 3;
  const at = named ? 5 : 4;
  const length = named ? (bytes[4] as number) : (lengths[bytes[3] as number] ?? 0);
  if (bytes[1] !== 1 || length === 0) {
    yield { reply: five(bytes[1] === 1 ? 8 : 7), used: bytes.length, end: true };
    return;
  }
  while (bytes.length < at + length + 2) bytes = yield undefined;
  const address = bytes.subarray(at, at + length);
  const destination: Destination = {
    version: 5,
    kind: named ? 'name' : length === 4 ? 'ipv4' : 'ipv6',
    host: named
      ? address.toString('latin1')
      : length === 4
        ? [...address].join('.')
        : Array.from({ length: 8 }, (_, i) => address.readUInt16BE(2 * i).toString(16)).join(':'),
    port: bytes.readUInt16BE(at + length),
  };
  yield { destination, used: at + length + 2 };
}

/** SOCKS4, and 4a: an address of 0.0.0.x stands for a name that follows the user id. */
function* socks4(username: string | undefined): Generator<Step, void, Buffer> {
  let bytes = yield undefined;
  let userEnd: number;
  while (bytes.length < 9 || (userEnd = bytes.indexOf(0, 8)) === -1) bytes = yield undefined;
  userEnd = bytes.indexOf(0, 8);
  const named = bytes.readUInt32BE(4) < 256 && bytes[7] !== 0;
  let used = userEnd + 1;
  if (named) {
    while (bytes.indexOf(0, userEnd + 1) === -1) bytes = yield undefined;
    used = bytes.indexOf(0, userEnd + 1) + 1;
  }
  if (username !== undefined && bytes.toString('utf8', 8, userEnd) !== username) {
    yield { reply: four(93), used, end: true };
    return;
  }
  const host = named
    ? bytes.toString('latin1', userEnd + 1, used - 1)
    : [...bytes.subarray(4, 8)].join('.');
  const port = bytes.readUInt16BE(2);
  yield { destination: { version: 4, kind: named ? 'name' : 'ipv4', host, port }, used };
}

/**
 * Starts a SOCKS server on loopback: CONNECT to IPv4, IPv6 and names. Our own, because the package
 * of that name on the registry dates from 2016.
 */
export async function startSocks(options: SocksServerOptions = {}): Promise<SocksServer> {
  const { version = 5, username, password = '', hosts = {} } = options;
  const { scheme = `socks${version}` } = options;
  let behaviour = options.behaviour ?? 'ok';
  const destinations: Destination[] = [];
  const sockets = new OpenSockets();
  let connections = 0;

  const connect = (socket: net.Socket, wanted: Destination, rest: Buffer) => {
    const granted = version === 5 ? five(0) : four(90);
    const refused = version === 5 ? five(5) : four(91);
    if (destinations.length < 1000) destinations.push(wanted);
    if (behaviour === 'reject') socket.end(version === 5 ? five(1) : four(91));
    else if (behaviour === 'close-after-connect') socket.end(granted);
    else if (behaviour === 'silent-after-connect') socket.write(granted);
    else {
      const upstream = net.connect(wanted.port, hosts[wanted.host] ?? wanted.host);
      sockets.add(upstream);
      upstream.on('connect', () => {
        socket.write(granted);
        if (rest.length > 0) upstream.write(rest);
        socket.pipe(upstream).pipe(socket);
      });
      upstream.on('error', () => {
        if (socket.writable) socket.end(refused);
      });
      upstream.on('close', () => socket.destroySoon());
      socket.on('close', () => upstream.destroy());
    }
  };
  const server = net.createServer((socket) => {
    connections++;
    sockets.add(socket);
    const steps = version === 5 ? socks5(username, password) : socks4(username);
    steps.next();
    let bytes = Buffer.alloc(0);
    const onData = (chunk: Buffer) => {
      if (behaviour === 'hang') return;
      if (behaviour === 'close' || behaviour === 'garbage') {
        socket.end(behaviour === 'close' ? '' : 'HTTP/1.1 400 Bad Request\r\n\r\n');
        return;
      }
      bytes = Buffer.concat([bytes, chunk]);
      for (;;) {
        const step = steps.next(bytes).value as Step;
        if (step === undefined) return;
        bytes = bytes.subarray(step.used);
        if ('destination' in step) {
          socket.off('data', onData);
          connect(socket, step.destination, bytes);
          return;
        }
        if (step.end === true) {
          socket.end(step.reply);
          return;
        }
        socket.write(step.reply);
      }
    };
    socket.on('data', onData);
  });
  const port = await listen(server, 0, '127.0.0.1');
  const user = username === undefined ? '' : encodeURIComponent(username);
  const credentials =
    username === undefined ? '' : `${user}${password && `:${encodeURIComponent(password)}`}@`;
  return {
    url: `${scheme}://${credentials}127.0.0.1:${port}`,
    id: `${username === undefined ? '' : `${username}@`}127.0.0.1:${port}`,
    port,
    destinations,
    get connections() {
      return connections;
    },
    behave(next) {
      behaviour = next;
    },
    openSockets: () => sockets.size,
    idle: () => sockets.whenNone(),
    close: () => stop(server, sockets),
  };
}
