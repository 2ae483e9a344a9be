import type net from 'node:net';
import { ConnectResponseParser, type ConnectResponse } from './connect-response-parser.ts';

export interface TunnelOptions {
  readonly maxHeaderSize: number;
  /** The target may speak first. Default false. */
  readonly greets?: boolean | undefined;
}

/**
 * Asks for a tunnel with CONNECT (RFC 9110, section 9.3.6) and leaves the socket paused after the
 * response. Calls back once; the returned function stops listening.
 */
export function askForTunnel(
  socket: net.Socket,
  authority: string,
  headers: readonly string[],
  { maxHeaderSize, greets = false }: TunnelOptions,
  done: (error: Error | undefined, response?: ConnectResponse) => void,
): () => void {
  const parser = new ConnectResponseParser(maxHeaderSize);
  const stop = () => void socket.off('data', onData);
  const onData = (chunk: Buffer) => {
    let response: ConnectResponse | undefined;
    try {
      response = parser.push(chunk);
    } catch (error) {
      stop();
      done(error as Error);
      return;
    }
    if (response === undefined) return;
    stop();
    socket.pause();
    if (response.statusCode < 300 && response.rest.length > 0 && !greets) {
      // In HTTP and in TLS the client speaks first: these bytes are none of the target's.
      done(new Error(`it sent bytes behind its ${response.statusCode} to CONNECT`));
      return;
    }
    if (response.rest.length > 0) socket.unshift(response.rest);
    done(undefined, response);
  };
  socket.on('data', onData);
  let lines = '';
  for (let i = 0; i < headers.length; i += 2) lines += `${headers[i]}: ${headers[i + 1]}\r\n`;
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${lines}\r\n`);
  return stop;
}
