import net from 'node:net';
import tls from 'node:tls';

/** A bare connection, to see what really goes over it. */
export interface Wire {
  write(bytes: string | Buffer): void;
  /** All that came so far, as soon as it has so many bytes or contains a text. */
  read(until: number | string): Promise<Buffer>;
  /** How the other side ended: `fin` closed its writing side, `reset` tore the connection. */
  readonly ended: Promise<'fin' | 'reset'>;
  /** All that came so far. */
  readonly received: Buffer;
  close(): void;
}

/** Opens a bare connection, over TLS with `ca`. Without TLS it keeps its own side open after a FIN. */
export async function openWire(
  port: number,
  { host = '127.0.0.1', ca }: { host?: string; ca?: string | undefined } = {},
): Promise<Wire> {
  const socket =
    ca === undefined
      ? net.connect({ port, host, allowHalfOpen: true })
      : tls.connect({ port, host, ca });
  let received = Buffer.alloc(0);
  let wake = () => {};
  const ended = new Promise<'fin' | 'reset'>((resolve) => {
    socket.on('end', () => resolve('fin'));
    socket.on('error', () => resolve('reset'));
  });
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    wake();
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.once(ca === undefined ? 'connect' : 'secureConnect', () => {
      socket.off('error', reject);
      resolve();
    });
  });
  return {
    write: (bytes) => void socket.write(bytes),
    async read(until) {
      const enough = () =>
        typeof until === 'number' ? received.length >= until : received.includes(until);
      while (!enough()) await new Promise<void>((resolve) => (wake = resolve));
      return received;
    },
    ended,
    get received() {
      return received;
    },
    close: () => void socket.destroy(),
  };
}
