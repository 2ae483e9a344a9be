import { createSseParser, type SseMessage } from './sse-parser.ts';

/**
 * `connecting` before the first success, `live`, `reconnecting` after one, `unauthorized` until
 * `retryNow()`, `unsupported` when this server has no event stream (asked again now and then).
 */
export type StreamState = 'connecting' | 'live' | 'reconnecting' | 'unauthorized' | 'unsupported';

export interface EventStreamOptions {
  readonly connect: (lastEventId: string, signal: AbortSignal) => Promise<Response>;
  readonly onMessage: (message: SseMessage) => void;
  readonly onState: (state: StreamState) => void;
  /** Resolves after the time, or as soon as the signal aborts. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly random?: () => number;
  /** A connection silent for longer, heartbeats included, is given up. */
  readonly idleMs?: number;
}

export interface EventStream {
  /** Connects again at once instead of waiting: a token was entered, the network came back. */
  retryNow(): void;
  close(): void;
}

const firstDelayMs = 500;
const maxDelayMs = 10_000;
const unsupportedDelayMs = 30_000;

/** 0.5 s doubling to 10 s, ±25 %, so that many open pages do not return all at once. */
export function reconnectDelay(failures: number, random: () => number): number {
  const delay = Math.min(maxDelayMs, firstDelayMs * 2 ** Math.min(failures, 10));
  return delay * (0.75 + 0.5 * random());
}

/** Reads the server's events for ever, through restarts of the server. */
export function openEventStream(options: EventStreamOptions): EventStream {
  const { connect, onMessage, onState, wait = waitFor } = options;
  const { random = Math.random, idleMs = 45_000 } = options;
  const closing = new AbortController();
  let waking = new AbortController();
  let lastEventId = '';
  let failures = 0;
  let wasLive = false;

  const readOnce = async (): Promise<StreamState> => {
    const connection = new AbortController();
    const stop = () => connection.abort();
    closing.signal.addEventListener('abort', stop);
    let idle = setTimeout(stop, idleMs);
    try {
      const response = await connect(lastEventId, connection.signal);
      if (response.status === 401) return 'unauthorized';
      if ([404, 405, 501].includes(response.status)) return 'unsupported';
      if (!response.ok || response.body === null) return 'reconnecting';
      if (!response.headers.get('content-type')?.startsWith('text/event-stream')) {
        await response.body.cancel();
        return 'unsupported';
      }
      onState('live');
      wasLive = true;
      const parser = createSseParser();
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
        // Only a connection that said something was a good one: a server that accepts and closes
        // at once is asked at growing intervals.
        failures = 0;
        clearTimeout(idle);
        idle = setTimeout(stop, idleMs);
        for (const message of parser.push(piece.value)) {
          if (message.id !== '') lastEventId = message.id;
          onMessage(message);
        }
      }
    } catch {
      // A refused, broken or silent connection is tried again like one that ended.
    } finally {
      clearTimeout(idle);
      closing.signal.removeEventListener('abort', stop);
      connection.abort();
    }
    return 'reconnecting';
  };

  const run = async () => {
    onState('connecting');
    while (!closing.signal.aborted) {
      waking = new AbortController();
      const ended = await readOnce();
      if (closing.signal.aborted) return;
      onState(ended === 'reconnecting' && !wasLive ? 'connecting' : ended);
      const signal = AbortSignal.any([waking.signal, closing.signal]);
      if (ended === 'unauthorized') await wait(Infinity, signal);
      else if (ended === 'unsupported') await wait(unsupportedDelayMs, signal);
      else await wait(reconnectDelay(failures++, random), signal);
    }
  };
  void run();

  return {
    retryNow() {
      failures = 0;
      waking.abort();
    },
    close: () => closing.abort(),
  };
}

/** `Infinity` waits for the signal alone. */
export function waitFor(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = Number.isFinite(ms) ? setTimeout(done, ms) : undefined;
    function done() {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done);
  });
}
