import { upgrade, WebSocket } from 'undici';
import { expect } from 'vitest';
import { markOf, type Outcome } from '../outcome.ts';
import { outcomeOfError } from '../whirl.ts';
import type { Cell } from './cell.ts';

/** The second event is sent when the first has arrived, so that nothing on the way may hold it back. */
const serverSentEvents: Cell = {
  name: 'SSE',
  comparable: false,
  async run(stage, way) {
    const rotator = stage.rotator(way);
    const gate = `events ${way.name}`;
    const response = await rotator.get(stage.url(way, `/events/${encodeURIComponent(gate)}`));
    expect(response.headers['content-type']).toBe('text/event-stream');
    let received = '';
    for await (const chunk of response.body) {
      received += String(chunk);
      if (received === 'data: first\n\n') stage.targets.open(encodeURIComponent(gate));
      if (received.endsWith('data: second\n\n')) break;
    }
    expect(received).toBe('data: first\n\ndata: second\n\n');
    return 'ok';
  },
};

const webSocket: Cell = {
  name: 'WebSocket',
  comparable: true,
  async run(stage, way, lacking) {
    const rotator = stage.rotator(way);
    const url = stage.url(way, '/socket');
    if (!lacking) {
      expect(await echoOf(url.replace(/^http/, 'ws'), rotator.dispatcher)).toBe('hello');
      return 'ok';
    }
    let seen: Outcome = { status: 101 };
    try {
      const { socket } = await upgrade(url, {
        dispatcher: rotator.dispatcher,
        protocol: 'websocket',
      });
      socket.destroy();
    } catch (error) {
      seen = outcomeOfError(error);
    }
    const headers = ['Connection: Upgrade', 'Upgrade: websocket'];
    expect(seen).toEqual(await stage.curl({ url, headers }, { tunnel: true }));
    return markOf(seen);
  },
};

/** What comes back for `hello`, after a closing handshake. */
function echoOf(url: string, dispatcher: ConstructorParameters<typeof WebSocket>[1] & object) {
  return new Promise<string>((resolve, reject) => {
    const socket = new WebSocket(url, { dispatcher } as never);
    let received = '';
    socket.addEventListener('open', () => socket.send('hello'));
    socket.addEventListener('message', ({ data }) => {
      received = String(data);
      socket.close(1000);
    });
    socket.addEventListener('error', ({ error, message }) => reject(error ?? new Error(message)));
    socket.addEventListener('close', ({ code, wasClean }) => {
      if (code === 1000 && wasClean) resolve(received);
      else reject(new Error(`the WebSocket closed with ${code}`));
    });
  });
}

export const streams: readonly Cell[] = [serverSentEvents, webSocket];
