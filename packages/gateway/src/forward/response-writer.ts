import { STATUS_CODES } from 'node:http';
import type net from 'node:net';
import { has } from '../head/request-head.ts';
import { passedOn } from './hop-by-hop.ts';

/** Writes one response, from the head to the trailers, in the framing that the client understands. */
export class ResponseWriter {
  readonly #socket: net.Socket;
  readonly #method: string;
  readonly #modern: boolean;
  #framing: 'none' | 'length' | 'chunked' | 'close' = 'none';
  #started = false;

  constructor(socket: net.Socket, method: string, modern: boolean) {
    this.#socket = socket;
    this.#method = method;
    this.#modern = modern;
  }

  /** Whether the head went out. */
  get started(): boolean {
    return this.#started;
  }

  /** Whether the connection can serve another request behind this response. */
  get delimited(): boolean {
    return this.#framing !== 'close';
  }

  /** An interim response (1xx). HTTP/1.0 knows none. */
  interim(statusCode: number, reason: string, fields: readonly string[]): void {
    if (this.#modern) this.#socket.write(head(statusCode, reason, passedOn(fields)), 'latin1');
  }

  /** The head. `last`: the connection is closed behind the response. */
  start(statusCode: number, reason: string, fields: readonly string[], last: boolean): void {
    this.#started = true;
    const bodiless = this.#method === 'HEAD' || statusCode === 204 || statusCode === 304;
    if (bodiless) this.#framing = 'none';
    else if (has(fields, 'content-length')) this.#framing = 'length';
    else this.#framing = this.#modern ? 'chunked' : 'close';
    const own = passedOn(fields);
    if (this.#framing === 'chunked') own.push('Transfer-Encoding', 'chunked');
    if (last || this.#framing === 'close') own.push('Connection', 'close');
    this.#socket.write(head(statusCode, reason, own), 'latin1');
  }

  /** A part of the body. False: wait for `drain`. */
  data(chunk: Buffer): boolean {
    if (this.#framing === 'none' || chunk.length === 0) return true;
    if (this.#framing !== 'chunked') return this.#socket.write(chunk);
    const socket = this.#socket;
    socket.cork();
    socket.write(`${chunk.length.toString(16)}\r\n`, 'latin1');
    socket.write(chunk);
    const more = socket.write('\r\n', 'latin1');
    socket.uncork();
    return more;
  }

  end(trailers: readonly string[]): void {
    if (this.#framing !== 'chunked') return;
    this.#socket.write(`0\r\n${lines(passedOn(trailers))}\r\n`, 'latin1');
  }
}

function head(statusCode: number, reason: string, fields: readonly string[]): string {
  const phrase = reason === '' ? (STATUS_CODES[statusCode] ?? '') : reason;
  return `HTTP/1.1 ${statusCode} ${phrase}\r\n${lines(fields)}\r\n`;
}

function lines(fields: readonly string[]): string {
  let text = '';
  for (let i = 0; i < fields.length; i += 2) text += `${fields[i]}: ${fields[i + 1]}\r\n`;
  return text;
}
