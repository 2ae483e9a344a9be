import { isIP } from 'node:net';
import { readName, type Authority } from '../head/authority.ts';
import { encodeReply, socksReply } from './socks-reply.ts';

/** What the bytes so far have led to. */
export type SocksStep =
  /** A username and a password wait for `accept()` or `deny()`. */
  | { readonly kind: 'credentials'; readonly username: string; readonly password: string }
  /** The request is complete. `rest`: the first bytes of the tunnel. */
  | { readonly kind: 'request'; readonly to: Authority; readonly rest: Buffer }
  /** The client was refused: the connection is to be closed. */
  | { readonly kind: 'end' };

const noMethod = 0;
const passwordMethod = 2;
const noneAcceptable = 255;
const nothing = Buffer.alloc(0);

/**
 * The server's side of SOCKS5 (RFC 1928) with username and password (RFC 1929), in whatever pieces the bytes
 * come. Names are not resolved. A client that offers to send a username is asked for it even where no password
 * is needed, because the username may name a session or a region.
 */
export class SocksNegotiation {
  readonly #needsPassword: boolean;
  readonly #write: (reply: Buffer) => void;
  #bytes: Buffer = nothing;
  #state: 'greeting' | 'credentials' | 'judging' | 'request' | 'over' = 'greeting';

  /** `needsPassword`: the method "none" is refused. `write` sends a reply to the client. */
  constructor(needsPassword: boolean, write: (reply: Buffer) => void) {
    this.#needsPassword = needsPassword;
    this.#write = write;
  }

  /** Takes bytes of the client. Undefined: more are needed, or a verdict on the credentials. */
  push(chunk: Buffer): SocksStep | undefined {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
    return this.#read();
  }

  /** Username and password are right. Returns what the bytes behind them have led to. */
  accept(): SocksStep | undefined {
    this.#write(Buffer.from([1, 0]));
    this.#state = 'request';
    return this.#read();
  }

  /** Username or password is wrong. */
  deny(): SocksStep {
    return this.#end(Buffer.from([1, 1]));
  }

  #read(): SocksStep | undefined {
    switch (this.#state) {
      case 'greeting':
        return this.#greeting();
      case 'credentials':
        return this.#credentials();
      case 'request':
        return this.#request();
      default:
        return undefined;
    }
  }

  #greeting(): SocksStep | undefined {
    const [version, count] = this.#bytes;
    if (version === undefined) return undefined;
    if (version !== 5) return this.#end(nothing);
    if (count === undefined || this.#bytes.length < 2 + count) return undefined;
    const offered = this.#bytes.subarray(2, 2 + count);
    const method = offered.includes(passwordMethod)
      ? passwordMethod
      : !this.#needsPassword && offered.includes(noMethod)
        ? noMethod
        : noneAcceptable;
    if (method === noneAcceptable) return this.#end(Buffer.from([5, noneAcceptable]));
    this.#bytes = this.#bytes.subarray(2 + count);
    this.#write(Buffer.from([5, method]));
    this.#state = method === passwordMethod ? 'credentials' : 'request';
    // A client may send its next message before it has seen this reply.
    return this.#read();
  }

  #credentials(): SocksStep | undefined {
    const bytes = this.#bytes;
    if (bytes.length === 0) return undefined;
    if (bytes[0] !== 1) return this.deny();
    const userLength = bytes[1];
    if (userLength === undefined) return undefined;
    const passLength = bytes[2 + userLength];
    if (passLength === undefined) return undefined;
    const passAt = 3 + userLength;
    if (bytes.length < passAt + passLength) return undefined;
    this.#state = 'judging';
    this.#bytes = bytes.subarray(passAt + passLength);
    return {
      kind: 'credentials',
      username: bytes.toString('utf8', 2, 2 + userLength),
      password: bytes.toString('utf8', passAt, passAt + passLength),
    };
  }

  #request(): SocksStep | undefined {
    const bytes = this.#bytes;
    if (bytes.length < 5) return undefined;
    if (bytes[0] !== 5 || bytes[2] !== 0) return this.#refuse(socksReply.generalFailure);
    const type = bytes[3];
    const at = type === 3 ? 5 : 4;
    const length = type === 1 ? 4 : type === 4 ? 16 : type === 3 ? (bytes[4] as number) : undefined;
    if (length === undefined) return this.#refuse(socksReply.addressTypeNotSupported);
    if (bytes.length < at + length + 2) return undefined;
    if (bytes[1] !== 1) return this.#refuse(socksReply.commandNotSupported);
    const host = readHost(bytes.subarray(at, at + length), type === 3);
    const port = bytes.readUInt16BE(at + length);
    if (host === undefined || port === 0) return this.#refuse(socksReply.generalFailure);
    this.#state = 'over';
    return { kind: 'request', to: { host, port }, rest: bytes.subarray(at + length + 2) };
  }

  #refuse(code: number): SocksStep {
    return this.#end(encodeReply(code));
  }

  #end(reply: Buffer): SocksStep {
    this.#state = 'over';
    if (reply.length > 0) this.#write(reply);
    return { kind: 'end' };
  }
}

/** A name, or an address; some clients send an address as a name. Undefined: neither. */
function readHost(bytes: Buffer, named: boolean): string | undefined {
  if (!named) {
    if (bytes.length === 4) return bytes.join('.');
    const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(2 * i).toString(16));
    return new URL(`http://[${groups.join(':')}]/`).hostname.slice(1, -1);
  }
  const text = bytes.toString('latin1');
  if (isIP(text) !== 0 && !text.includes('%')) return text.toLowerCase();
  try {
    return readName(text);
  } catch {
    return undefined;
  }
}
