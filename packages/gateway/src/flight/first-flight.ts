import type { FirstFlight } from '@whirl/rotator';
import type { FlightKind } from './client-hello-reader.ts';
import { FlightReader, type ReplayMode } from './flight-reader.ts';

const handshakeRecord = 22;
const alertRecord = 21;
const unexpectedMs = 250;

/**
 * What the rotator may do with the first bytes of a tunnel: send them again through another proxy, and tell from
 * the first byte that comes back whether the target sent it. Undefined under `none`.
 *
 * `serverFirst`: on the port of the target servers speak first. Elsewhere what comes before the client has said
 * anything is kept back for a moment, because it may be a page of the proxy.
 *
 * A part of a ClientHello may be sent again too: no server acts upon a part, and the whole reaches one alone.
 */
export function firstFlight(mode: ReplayMode, serverFirst: boolean): FirstFlight | undefined {
  return mode === 'none' ? undefined : rules[mode][serverFirst ? 1 : 0];
}

const rules = {
  tls: [ruleFor('tls', false), ruleFor('tls', true)],
  http: [ruleFor('http', false), ruleFor('http', true)],
} as const;

function ruleFor(mode: ReplayMode, serverFirst: boolean): FirstFlight {
  return {
    greetingMs: serverFirst ? 0 : unexpectedMs,
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
