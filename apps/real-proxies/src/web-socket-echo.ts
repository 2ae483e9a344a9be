import { createHash } from 'node:crypto';
import type http from 'node:http';
import type { Duplex } from 'node:stream';

/** The payload of one short masked frame, and how many bytes it takes (RFC 6455, 5.2). */
function readFrame(bytes: Buffer): { opcode: number; payload: Buffer; size: number } | undefined {
  if (bytes.length < 6) return undefined;
  const length = bytes.readUInt8(1) & 0x7f;
  const size = 6 + length;
  if (length > 125 || bytes.length < size) return undefined;
  const mask = bytes.subarray(2, 6);
  const payload = Buffer.from(
    bytes.subarray(6, size).map((byte, at) => byte ^ mask.readUInt8(at % 4)),
  );
  return { opcode: bytes.readUInt8(0) & 0x0f, payload, size };
}

/** Accepts a WebSocket and sends every short frame back, the closing one as its last. */
export function echoWebSocket(request: http.IncomingMessage, socket: Duplex): void {
  const key = request.headers['sec-websocket-key'] ?? '';
  const accept = createHash('sha1')
    .update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest('base64');
  socket.on('error', () => socket.destroy());
  socket.write(
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      `Sec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  if (request.url?.endsWith('/close') === true) socket.end();
  let received = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    for (let frame = readFrame(received); frame !== undefined; frame = readFrame(received)) {
      received = received.subarray(frame.size);
      const { opcode, payload } = frame;
      socket.write(Buffer.concat([Buffer.from([0x80 | opcode, payload.length]), payload]));
      if (opcode === 8) socket.end();
    }
  });
  socket.on('end', () => socket.end());
}
