import dgram from 'node:dgram';

const responseFlags = 0x8183; // a response, recursion available, no such name (RFC 1035, 4.1.1)

/** A name server that knows no name, on 127.0.0.1. Rejects when it may not bind the port. */
export async function startNameServer(port = 53): Promise<{ close(): void }> {
  const socket = dgram.createSocket('udp4');
  socket.on('message', (query, { address, port: from }) => {
    if (query.length < 12) return;
    const response = Buffer.from(query);
    response.writeUInt16BE(responseFlags, 2);
    socket.send(response, from, address);
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, '127.0.0.1', () => resolve());
  });
  return { close: () => void socket.close() };
}
