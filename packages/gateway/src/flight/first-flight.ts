import type { FirstFlight } from '@whirl/rotator';
import type { FlightKind } from './client-hello-reader.ts';
import type { FirstSpeaker } from './first-speaker.ts';
import { FlightReader, type ReplayMode } from './flight-reader.ts';

const handshakeRecord = 22;
const alertRecord = 21;

/** How long bytes that came before the client's first are kept back. The way to a client may take most of a second. */
const keptBackMs: Readonly<Record<FirstSpeaker, number>> = { client: 5000, server: 0, either: 250 };

/**
 * What the rotator may do with the first bytes of a tunnel: send them again through another proxy, and tell from
 * the first byte that comes back whether the target sent it. Undefined under `none`.
 *
 * Where servers do not speak first, what comes before the client has said anything is kept back for a while: it may be
 * what a proxy says, which the first bytes of the client tell.
 *
 * A part of a ClientHello may be sent again too: no server acts upon a part, and the whole reaches one alone.
 */
export function firstFlight(mode: ReplayMode, speaker: FirstSpeaker): FirstFlight | undefined {
  return mode === 'none' ? undefined : rules[mode][speaker];
}

const rules = { tls: rulesFor('tls'), http: rulesFor('http') } as const;

function rulesFor(mode: ReplayMode): Readonly<Record<FirstSpeaker, FirstFlight>> {
  return {
    client: ruleFor(mode, 'client'),
    server: ruleFor(mode, 'server'),
    either: ruleFor(mode, 'either'),
  };
}

function ruleFor(mode: ReplayMode, speaker: FirstSpeaker): FirstFlight {
  return {
    greetingMs: keptBackMs[speaker],
    repeatable: (written) => {
      const kind = kindOf(mode, written);
      return kind === 'whole' || kind === 'part';
    },
    plausible: (written, first) => {
      if (written[0] === handshakeRecord && kindOf(mode, written) !== 'other') {
        return first[0] === handshakeRecord || first[0] === alertRecord;
      }
      // No HTTP server speaks first: this is a page of the proxy.
      return written.length > 0 || !isHttp(first);
    },
  };
}

function kindOf(mode: ReplayMode, written: Buffer): FlightKind {
  return new FlightReader(mode).push(written);
}

/** Whether bytes begin like a web page, or like the head of a response. */
function isHttp(bytes: Buffer): boolean {
  const start = bytes.toString('latin1', 0, 16).trimStart().toLowerCase();
  return start.startsWith('http/') || start.startsWith('<');
}
