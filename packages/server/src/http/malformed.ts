import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyReply } from 'fastify';
import type { ErrorBody } from './errors.ts';

/** For responses that are sent before any route or hook is found. */
const headers = {
  'content-security-policy': "default-src 'none';frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const;

export function addBareHeaders(reply: FastifyReply): FastifyReply {
  return reply.headers(headers);
}

const responses: Readonly<Record<string, readonly [number, ErrorBody]>> = {
  HPE_HEADER_OVERFLOW: [
    431,
    { error: 'headers_too_large', message: 'the headers of the request are too large' },
  ],
  ERR_HTTP_REQUEST_TIMEOUT: [
    408,
    { error: 'request_too_slow', message: 'the request did not arrive in time' },
  ],
};

/** A client that goes on sending, or never closes its side, loses the connection after this time. */
const lingerMs = 500;

/** Responds to what is not HTTP, in the shape of every error. */
export function respondMalformed(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const [statusCode, body] = responses[error.code ?? ''] ?? [
    400,
    { error: 'malformed_request', message: 'this is not an HTTP request' },
  ];
  const text = JSON.stringify(body);
  const lines = [
    `HTTP/1.1 ${statusCode} ${STATUS_CODES[statusCode]}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(text)}`,
    'connection: close',
  ];
  socket.end(`${lines.join('\r\n')}\r\n\r\n${text}`);
  destroySoon(socket);
}

/** Responds to a request that expects something else than 100-continue, in the shape of every error. */
export function respondExpectation({ socket }: IncomingMessage, response: ServerResponse): void {
  const body: ErrorBody = {
    error: 'expectation_failed',
    message: 'the only expectation that is understood is 100-continue',
  };
  const type = { 'content-type': 'application/json; charset=utf-8' };
  // Whether the body of the request follows is not known.
  response.writeHead(417, { ...headers, ...type, connection: 'close' }).end(JSON.stringify(body));
  destroySoon(socket);
}

/** Leaves a response time to arrive, then destroys the socket, whatever the client does. */
export function destroySoon(socket: Socket): void {
  const timer = setTimeout(() => socket.destroy(), lingerMs);
  socket.once('close', () => clearTimeout(timer));
}
