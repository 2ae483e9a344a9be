/**
 * What the bytes from a client are, as far as they can be told:
 * - `nothing`: no byte has come.
 * - `part`: the beginning of a ClientHello.
 * - `whole`: exactly one ClientHello without early data, to which a server responds without acting upon it.
 * - `other`: anything else. It may have had an effect, and is never sent twice.
 */
export type FlightKind = 'nothing' | 'part' | 'whole' | 'other';

/** The largest ClientHello that is recognised, without the headers of its records. */
const maxHelloBytes = 16_384;
/** The most that is read of one, with the headers of its records. */
const maxFlightBytes = 65_536;
const maxRecordBytes = 16_384;
const handshakeRecord = 22;
const clientHelloMessage = 1;
const earlyData = 42;
const nothing = Buffer.alloc(0);

/**
 * Recognises one TLS ClientHello in a stream (RFC 8446, section 4.1.2; RFC 5246 has the same), split over
 * segments and records in any way. One with the `early_data` extension, with a byte behind it, or that is
 * malformed, is `other`: sent twice, early data would be a request made twice.
 */
export class ClientHelloReader {
  #kind: FlightKind = 'nothing';
  #read = 0;
  /** Bytes of the record's header under way. */
  readonly #header = Buffer.alloc(5);
  #headerLength = 0;
  /** Bytes of the record's body that are still to come. */
  #recordLeft = 0;
  /** The handshake message, without the headers of the records. */
  #message = nothing;
  #length = 0;

  get kind(): FlightKind {
    return this.#kind;
  }

  /** Takes the next bytes. Returns what all of them are. */
  push(chunk: Buffer): FlightKind {
    if (this.#kind === 'other' || chunk.length === 0) return this.#kind;
    if (this.#kind === 'whole') return this.#other();
    this.#kind = 'part';
    this.#read += chunk.length;
    if (this.#read > maxFlightBytes) return this.#other();
    for (let at = 0; at < chunk.length;) {
      if (this.#recordLeft === 0) {
        this.#header[this.#headerLength++] = chunk[at++] as number;
        if (!this.#headerFits()) return this.#other();
        if (this.#headerLength < 5) continue;
        this.#headerLength = 0;
        this.#recordLeft = this.#header.readUInt16BE(3);
        continue;
      }
      const end = Math.min(chunk.length, at + this.#recordLeft);
      const kind = this.#take(chunk.subarray(at, end));
      this.#recordLeft -= end - at;
      at = end;
      if (kind === 'other') return this.#other();
      if (kind === 'whole') {
        // A byte behind it, in this record or in another, is no part of it.
        return at === chunk.length && this.#recordLeft === 0
          ? (this.#kind = 'whole')
          : this.#other();
      }
    }
    return this.#kind;
  }

  /** Whether what there is of a record's header can begin or continue a ClientHello. */
  #headerFits(): boolean {
    const [type, major, minor = 0] = this.#header;
    if (type !== handshakeRecord) return false;
    if (this.#headerLength >= 2 && major !== 3) return false;
    if (this.#headerLength >= 3 && minor > 4) return false;
    if (this.#headerLength < 5) return true;
    const length = this.#header.readUInt16BE(3);
    return length > 0 && length <= maxRecordBytes;
  }

  #take(bytes: Buffer): FlightKind {
    const length = this.#length + bytes.length;
    if (length > maxHelloBytes) return 'other';
    if (length > this.#message.length) {
      const grown = Buffer.alloc(Math.min(Math.max(length, 2 * this.#length), maxHelloBytes));
      this.#message.copy(grown, 0, 0, this.#length);
      this.#message = grown;
    }
    bytes.copy(this.#message, this.#length);
    this.#length = length;
    if (this.#message[0] !== clientHelloMessage) return 'other';
    if (length < 4) return 'part';
    const wanted = 4 + this.#message.readUIntBE(1, 3);
    if (wanted > maxHelloBytes || length > wanted) return 'other';
    if (length < wanted) return 'part';
    return isPlainHello(this.#message.subarray(4, length)) ? 'whole' : 'other';
  }

  #other(): FlightKind {
    this.#message = nothing;
    return (this.#kind = 'other');
  }
}

/** Whether the body of a ClientHello is well-formed, to its last byte, and has no early data. */
function isPlainHello(body: Buffer): boolean {
  // legacy_version and random.
  let at = 34;
  const skip = (lengthBytes: 1 | 2, least: number, multipleOf: number): boolean => {
    if (at + lengthBytes > body.length) return false;
    const length = body.readUIntBE(at, lengthBytes);
    at += lengthBytes + length;
    return length >= least && length % multipleOf === 0 && at <= body.length;
  };
  if (body.length < at || body[0] !== 3) return false;
  // legacy_session_id, cipher_suites, legacy_compression_methods.
  if ((body[at] ?? 0) > 32 || !skip(1, 0, 1) || !skip(2, 2, 2) || !skip(1, 1, 1)) return false;
  // TLS 1.2 allows a ClientHello without extensions.
  if (at === body.length) return true;
  if (at + 2 > body.length || at + 2 + body.readUInt16BE(at) !== body.length) return false;
  for (at += 2; at < body.length;) {
    if (at + 4 > body.length || body.readUInt16BE(at) === earlyData) return false;
    at += 4 + body.readUInt16BE(at + 2);
    if (at > body.length) return false;
  }
  return true;
}
