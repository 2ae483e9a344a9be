import type { FirstFlight } from '@whirl/rotator';
import type { FlightKind } from './client-hello-reader.ts';
import type { FirstSpeaker } from './first-speaker.ts';
import { FlightReader, type ReplayMode } from './flight-reader.ts';

const handshakeRecord = 22;
const alertRecord = 21;

/** How long bytes that came before the client's first are kept back. The way to a client may take most of a second. */
const keptBackMs: Readonly<Record<FirstSpeaker, number>> = { client: 5000, server: 0, either: 250 };

/**
 * What the rotator may do with the first bytes of one tunnel: send them again through another proxy, and tell from
 * the first byte that comes back whether the target sent it. Undefined under `none`.
 *
 * Where servers do not speak first, what comes before the client has said anything is kept back for a while: it may be
 * what a proxy says, which the first bytes of the client tell.
 *
 * A part of a ClientHello may be sent again too: no server acts upon a part, and the whole reaches one alone.
 */
export function firstFlight(mode: ReplayMode, speaker: FirstSpeaker): FirstFlight | undefined {
  return mode === 'none' ? undefined : new ReadFlight(mode, keptBackMs[speaker]);
}

/** It is asked at each write, with all that was written so far: of that it reads what is new. */
class ReadFlight implements FirstFlight {
  readonly greetingMs: number;
  readonly #mode: ReplayMode;
  #reader: FlightReader | undefined;
  #read = 0;

  constructor(mode: ReplayMode, greetingMs: number) {
    this.#mode = mode;
    this.greetingMs = greetingMs;
  }

  repeatable(written: Buffer): boolean {
    const kind = this.#kindOf(written);
    return kind === 'whole' || kind === 'part';
  }

  plausible(written: Buffer, first: Buffer): boolean {
    if (written[0] === handshakeRecord && this.#kindOf(written) !== 'other') {
      return first[0] === handshakeRecord || first[0] === alertRecord;
    }
    // No HTTP server speaks first: this is a page of the proxy.
    return written.length > 0 || !isHttp(first);
  }

  #kindOf(written: Buffer): FlightKind {
    const reader = (this.#reader ??= new FlightReader(this.#mode));
    const fresh = this.#read === 0 ? written : written.subarray(this.#read);
    this.#read = written.length;
    return reader.push(fresh);
  }
}

/** Whether bytes begin like a web page, or like the head of a response. */
function isHttp(bytes: Buffer): boolean {
  const start = bytes.toString('latin1', 0, 16).trimStart().toLowerCase();
  return start.startsWith('http/') || start.startsWith('<');
}
