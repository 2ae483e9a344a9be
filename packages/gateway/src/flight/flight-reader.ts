import { HeadReader } from '../head/head-reader.ts';
import { has, parseFields } from '../head/request-head.ts';
import { ClientHelloReader, type FlightKind } from './client-hello-reader.ts';

/**
 * What a gateway may send a second time through another proxy:
 * - `tls`: nothing, or one TLS ClientHello without early data.
 * - `http`: those, and one complete head of GET, HEAD or OPTIONS without a body.
 * - `none`: nothing at all; a tunnel stays with its first proxy.
 */
export type ReplayMode = 'tls' | 'http' | 'none';

const handshakeRecord = 22;
const safeLine = /^(?:GET|HEAD|OPTIONS) [\x21-\x7e]+ HTTP\/1\.[01]$/;

/** Tells what the first bytes of a client are, as `ClientHelloReader` does; under `http` also a safe request. */
export class FlightReader {
  readonly #mode: ReplayMode;
  #hello: ClientHelloReader | undefined;
  #head: HeadReader | undefined;
  #kind: FlightKind = 'nothing';

  constructor(mode: ReplayMode) {
    this.#mode = mode;
  }

  get kind(): FlightKind {
    return this.#kind;
  }

  /** Whether the bytes are TLS, as far as they go. */
  get isTls(): boolean {
    return this.#hello !== undefined && (this.#kind === 'part' || this.#kind === 'whole');
  }

  /** Takes the next bytes. Returns what all of them are. */
  push(chunk: Buffer): FlightKind {
    if (chunk.length === 0 || this.#kind === 'other') return this.#kind;
    if (this.#kind === 'nothing') this.#begin(chunk[0] as number);
    else if (this.#head !== undefined && this.#kind === 'whole') return (this.#kind = 'other');
    if (this.#hello !== undefined) this.#kind = this.#hello.push(chunk);
    else this.#kind = this.#head === undefined ? 'other' : readHead(this.#head, chunk);
    return this.#kind;
  }

  #begin(first: number): void {
    if (this.#mode === 'none') return;
    if (first === handshakeRecord) this.#hello = new ClientHelloReader();
    else if (this.#mode === 'http') this.#head = new HeadReader();
  }
}

function readHead(head: HeadReader, chunk: Buffer): FlightKind {
  try {
    const whole = head.push(chunk);
    if (whole === undefined) return 'part';
    const lines = whole.text.split('\r\n');
    if (whole.rest.length > 0 || !safeLine.test(lines[0] as string)) return 'other';
    const fields = parseFields(lines);
    const acts = ['content-length', 'transfer-encoding', 'upgrade', 'expect'];
    return acts.some((name) => has(fields, name)) ? 'other' : 'whole';
  } catch {
    return 'other';
  }
}
