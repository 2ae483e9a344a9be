import type net from 'node:net';

/** What is known of undici's parser, which stands on its socket. */
interface Parser {
  readonly socket: net.Socket;
  readonly ptr: number | null;
  readonly llhttp: { llhttp_resume(ptr: number): void };
  paused: boolean;
  execute(chunk: Buffer): void;
  finish: (this: Parser) => Error | null;
}

const nothing = Buffer.alloc(0);
/** There is one class of parsers: that of the undici that this package imports. */
let mended = false;

/**
 * Keeps undici 7 from ending the process when a connection ends while the caller holds its response back: `finish()`
 * asserts then that the parser is not paused, in a listener whose errors cannot be caught (nodejs/undici#5360). By
 * then the parser was given every byte, so it may go on without asking the caller for anything. undici 8 does so itself.
 */
export function mendPausedEnd(socket: net.Socket): void {
  if (mended) return;
  mended = true;
  const parser = parserOf(socket);
  if (parser === undefined) return;
  const prototype = Object.getPrototypeOf(parser) as Parser;
  const { finish } = prototype;
  prototype.finish = function (this: Parser) {
    if (!goOn(this)) return finish.call(this);
    // Nothing more came; a response whose length is reached ends here, and its connection with it.
    this.execute(nothing);
    if (this.socket.destroyed) return null;
    // One that ends with its connection pauses again.
    goOn(this);
    return finish.call(this);
  };
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
