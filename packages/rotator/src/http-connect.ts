import type net from 'node:net';

/** A larger head of an answer to CONNECT is refused. */
const maxHeadBytes = 16_384;

export interface ConnectAnswer {
  readonly statusCode: number;
  /** Its status line and fields, as they came. */
  readonly head: string;
  /** What followed the head: the first bytes of the tunnel. */
  readonly rest: Buffer;
}

/** Reads the answer to CONNECT, in whatever pieces it comes. */
export class ConnectAnswerParser {
  #head: Buffer = Buffer.alloc(0);

  /** The final answer once its head is complete. Throws when it is too large or not HTTP/1. */
  push(chunk: Buffer): ConnectAnswer | undefined {
    this.#head = this.#head.length === 0 ? chunk : Buffer.concat([this.#head, chunk]);
    for (;;) {
      // A bare line feed is no line end in HTTP, but a recipient may take it for one (RFC 9112, 2.2).
      const crlf = this.#head.indexOf('\r\n\r\n');
      const bare = this.#head.indexOf('\n\n');
      const short = bare !== -1 && (crlf === -1 || bare < crlf);
      const end = short ? bare : crlf;
      if (end > maxHeadBytes || (end === -1 && this.#head.length > maxHeadBytes)) {
        throw new Error(`its answer to CONNECT has a head of more than ${maxHeadBytes} bytes`);
      }
      const start = this.#head.toString('latin1', 0, 7);
      if (!'HTTP/1.'.startsWith(start)) throw new Error('its answer to CONNECT is not HTTP');
      if (end === -1) return undefined;
      const text = this.#head.toString('latin1', 0, end);
      const rest = this.#head.subarray(end + (short ? 2 : 4));
      const status = /^HTTP\/1\.[01] ([1-5]\d\d)(?:[ \r\n]|$)/.exec(text)?.[1];
      if (status === undefined) throw new Error('its answer to CONNECT has no status line');
      const statusCode = Number(status);
      if (statusCode >= 200) {
        return { statusCode, head: text, rest };
      }
      this.#head = rest;
      if (rest.length === 0) return undefined;
    }
  }
}

/**
 * Asks for a tunnel with CONNECT (RFC 9110, section 9.3.6) and leaves the socket paused after the
 * answer. Calls back once; the returned function stops listening.
 */
export function askForTunnel(
  socket: net.Socket,
  authority: string,
  headers: readonly string[],
  done: (error: Error | undefined, answer?: ConnectAnswer) => void,
): () => void {
  const parser = new ConnectAnswerParser();
  const stop = () => void socket.off('data', onData);
  const onData = (chunk: Buffer) => {
    let answer: ConnectAnswer | undefined;
    try {
      answer = parser.push(chunk);
    } catch (error) {
      stop();
      done(error as Error);
      return;
    }
    if (answer === undefined) return;
    stop();
    socket.pause();
    if (answer.rest.length > 0) socket.unshift(answer.rest);
    done(undefined, answer);
  };
  socket.on('data', onData);
  let lines = '';
  for (let i = 0; i < headers.length; i += 2) lines += `${headers[i]}: ${headers[i + 1]}\r\n`;
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${lines}\r\n`);
  return stop;
}
