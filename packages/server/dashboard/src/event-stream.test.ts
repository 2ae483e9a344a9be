import { describe, expect, it } from 'vitest';
import { openEventStream, reconnectDelay, type StreamState } from './event-stream.ts';

const encoder = new TextEncoder();
const sse = { 'content-type': 'text/event-stream; charset=utf-8' };

function answer(text: string, status = 200, headers: Record<string, string> = sse): Response {
  return new Response(status === 204 ? null : encoder.encode(text), { status, headers });
}

/** Gives the page one answer after another, then holds the connection open. */
function play(answers: readonly (() => Response)[]) {
  const heard: string[] = [];
  const states: StreamState[] = [];
  const waits: number[] = [];
  const lastIds: string[] = [];
  let next = 0;
  let finished: () => void;
  const end = new Promise<void>((resolve) => (finished = resolve));
  const stream = openEventStream({
    connect: async (lastEventId, signal) => {
      lastIds.push(lastEventId);
      const make = answers[next++];
      if (make !== undefined) return make();
      finished();
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('aborted')));
      });
    },
    onMessage: ({ type, data }) => heard.push(`${type} ${data}`),
    onState: (state) => states.push(state),
    wait: async (ms, signal) => {
      waits.push(ms);
      if (ms === Infinity) {
        await new Promise<void>((resolve) => {
          signal.addEventListener('abort', () => resolve());
          queueMicrotask(() => stream.retryNow());
        });
      }
    },
    random: () => 0.5,
  });
  return { heard, states, waits, lastIds, end, close: () => stream.close() };
}

const refused = () => {
  throw new TypeError('connection refused');
};

describe('A7 the page works through a restart of the server', () => {
  it('reconnects with growing delays, sends the last id, and begins afresh after a good one', async () => {
    const one = play([
      () => answer('id: 7\nevent: attempt:end\ndata: {}\n\n'),
      refused,
      refused,
      () => answer('', 503),
      () => answer('data: back\n\n'),
    ]);
    await one.end;
    one.close();
    expect(one.heard).toEqual(['attempt:end {}', 'message back']);
    expect(one.waits).toEqual([500, 1000, 2000, 4000, 500]);
    expect(one.lastIds).toEqual(['', '7', '7', '7', '7', '7']);
    expect(one.states).toEqual([
      'connecting',
      'live',
      'reconnecting',
      'reconnecting',
      'reconnecting',
      'reconnecting',
      'live',
      'reconnecting',
    ]);
  });

  it('a server that never responded is being connected to, not reconnected', async () => {
    const one = play([refused]);
    await one.end;
    one.close();
    expect(one.states).toEqual(['connecting', 'connecting']);
  });

  it('A8 a 401 waits for a token instead of asking on and on', async () => {
    const one = play([() => answer('{}', 401), () => answer('data: in\n\n')]);
    await one.end;
    one.close();
    expect(one.waits[0]).toBe(Infinity);
    expect(one.states.slice(0, 3)).toEqual(['connecting', 'unauthorized', 'live']);
    expect(one.heard).toEqual(['message in']);
  });

  it('a server without a stream is asked again only now and then', async () => {
    const one = play([
      () => answer('{}', 404),
      () => answer('<html>', 200, { 'content-type': 'text/html' }),
    ]);
    await one.end;
    one.close();
    expect(one.states).toEqual(['connecting', 'unsupported', 'unsupported']);
    expect(one.waits).toEqual([30_000, 30_000]);
  });

  it('delays double from half a second to ten, a quarter more or less', () => {
    const delays = [0, 1, 2, 3, 4, 5, 100].map((failures) => reconnectDelay(failures, () => 0.5));
    expect(delays).toEqual([500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
    expect(reconnectDelay(0, () => 0)).toBe(375);
    expect(reconnectDelay(9, () => 1)).toBe(12_500);
  });
});
