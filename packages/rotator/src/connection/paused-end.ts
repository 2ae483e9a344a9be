import type net from 'node:net';

/** What is known of undici's parser, which stands on its socket. */
interface Parser {
  readonly socket: net.Socket;
  readonly ptr: number | null;
  /** 0 between responses. */
  readonly statusCode: number;
  readonly llhttp: { llhttp_resume(ptr: number): void };
  paused: boolean;
  execute(chunk: Buffer): void;
  finish: (this: Parser) => Error | null;
}

const nothing = Buffer.alloc(0);

/**
 * Mends two things of undici 7's parser at the end of its connection. Only parsers of this package are touched.
 *
 * When the connection ends while the caller holds its response back, `finish()` asserts that the parser is not paused,
 * in a listener whose errors cannot be caught, and ends the process (nodejs/undici#5360). By then the parser was given
 * every byte, so it may go on without asking the caller for anything. undici 8 does so itself.
 *
 * A reset ends no response (RFC 9112, section 8). undici takes one whose end is that of its connection for complete.
 */
export function mendEnd(socket: net.Socket): void {
  const parser = parserOf(socket);
  if (parser !== undefined) parser.finish = finish;
}

function finish(this: Parser): Error | null {
  if (goOn(this)) {
    // Nothing more came; a response whose length is reached ends here, and its connection with it.
    this.execute(nothing);
    if (this.ptr === null || this.statusCode === 0) return null;
    // One that ends with its connection pauses again.
    goOn(this);
  }
  const { errored } = this.socket;
  return errored ?? (Object.getPrototypeOf(this) as Parser).finish.call(this);
}

/** Whether it was paused. */
function goOn(parser: Parser): boolean {
  if (!parser.paused || parser.ptr === null) return false;
  parser.llhttp.llhttp_resume(parser.ptr);
  parser.paused = false;
  return true;
}

function parserOf(socket: net.Socket): Parser | undefined {
  for (const key of Object.getOwnPropertySymbols(socket)) {
    if (key.description !== 'parser') continue;
    const parser = (socket as unknown as Record<symbol, Partial<Parser> | undefined>)[key];
    const known = typeof parser?.finish === 'function' && typeof parser.execute === 'function';
    if (known && typeof parser.paused === 'boolean') return parser as Parser;
  }
  return undefined;
}
