import http from 'node:http';
import net from 'node:net';

/** What became of the visits of all clients. */
export interface Visits {
  /** Everything came back as it was sent. */
  completed: number;
  /** Left by the client itself, at a random moment. */
  left: number;
  /** Broken after the first byte: a proxy died under the tunnel. */
  torn: number;
  /** A tunnel that was refused, or broke before the first byte. */
  failed: number;
  /** A request in absolute form that got no 200. */
  refused: number;
  /** Bytes came back that were not sent. */
  wrong: number;
}

/** Bytes that clients have given to tunnels, and got from them. */
export interface TunnelBytes {
  sent: number;
  received: number;
}

export interface Ways {
  readonly bytes: TunnelBytes;
  readonly gateway: number;
  readonly target: number;
  readonly random: () => number;
}

/** One TLS ClientHello, which may be sent again through another proxy. The target sends it back, as everything. */
const hello = Buffer.concat([
  Buffer.from([22, 3, 1, 0, 45, 1, 0, 0, 41, 3, 3]),
  Buffer.alloc(32, 7),
  Buffer.from([0, 0, 2, 0x13, 1, 1, 0]),
]);
const body = Buffer.alloc(256 * 1024, 'soak');
const maxLeaveMs = 200;
/** A client that hears nothing for so long gives up. */
const patienceMs = 20_000;

/**
 * One tunnel: the ClientHello, and once it has come back up to 256 KiB, which come back too. Half of the clients
 * destroy their connection at a random moment.
 */
export function visit(
  { gateway, target, random, bytes: total }: Ways,
  visits: Visits,
): Promise<void> {
  const leaves = random() < 0.5;
  const bytes = Math.ceil(random() * body.length);
  return new Promise((resolve) => {
    const socket = net.connect({ port: gateway, host: '127.0.0.1', noDelay: true });
    let head = '';
    let granted = false;
    let received = 0;
    let ended: keyof Visits | undefined;
    const end = (how: keyof Visits) => {
      if (ended !== undefined) return;
      ended = how;
      clearTimeout(timer);
      visits[how]++;
      socket.destroy();
      resolve();
    };
    const timer = setTimeout(
      () => end(leaves ? 'left' : 'failed'),
      leaves ? random() * maxLeaveMs : patienceMs,
    );
    // Together: the gateway cannot tell what a proxy puts into the tunnel of a client that says nothing.
    socket.write(`CONNECT 127.0.0.1:${target} HTTP/1.1\r\nHost: 127.0.0.1:${target}\r\n\r\n`);
    const send = (chunk: Buffer) => {
      total.sent += chunk.length;
      socket.write(chunk);
    };
    send(hello);
    const take = (chunk: Buffer) => {
      const before = received;
      received += chunk.length;
      total.received += chunk.length;
      const sent = before < hello.length ? hello.subarray(before, received) : undefined;
      if (sent !== undefined && !chunk.subarray(0, sent.length).equals(sent)) end('wrong');
      if (before < hello.length && received >= hello.length) send(body.subarray(0, bytes));
      if (received === hello.length + bytes) end('completed');
      else if (received > hello.length + bytes) end('wrong');
    };
    socket.on('data', (chunk: Buffer) => {
      if (granted) {
        take(chunk);
        return;
      }
      head += chunk.toString('latin1');
      const headEnd = head.indexOf('\r\n\r\n') + 4;
      if (headEnd < 4) return;
      if (!head.startsWith('HTTP/1.1 200 ')) {
        end('failed');
        return;
      }
      granted = true;
      const behind = chunk.subarray(chunk.length - (head.length - headEnd));
      if (behind.length > 0) take(behind);
    });
    const broken = () => end(received > 0 ? 'torn' : 'failed');
    socket.on('error', broken).on('close', broken);
  });
}

/** One request in absolute form. Half of the clients leave it. */
export function ask({ gateway, target, random }: Ways, visits: Visits): Promise<void> {
  const leaves = random() < 0.5;
  return new Promise((resolve) => {
    let done = false;
    const end = (how: keyof Visits) => {
      if (done) return;
      done = true;
      clearTimeout(timer);
      visits[how]++;
      request.destroy();
      resolve();
    };
    const request = http.request({
      host: '127.0.0.1',
      port: gateway,
      path: `http://127.0.0.1:${target}/`,
      headers: { host: `127.0.0.1:${target}` },
      agent: false,
    });
    const timer = setTimeout(
      () => end(leaves ? 'left' : 'refused'),
      leaves ? random() * maxLeaveMs : patienceMs,
    );
    request.on('response', (response) => {
      response.on('error', () => end('torn'));
      response.on('close', () => end(response.complete ? 'completed' : 'torn')).resume();
      if (response.statusCode !== 200) end('refused');
    });
    request.on('error', () => end('refused')).end();
  });
}
