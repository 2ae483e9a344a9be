import fs from 'node:fs';
import { Readable } from 'node:stream';
import type { WhirlEvents } from '@whirl/events';
import { seededRandom } from '@whirl/testkit';
import { describe, expect, it } from 'vitest';
import type { ProxyRotator, RotatorOptions } from '../../src/index.ts';
import { startClosingProxy, type Closing, type Speech } from '../support/closing-proxy.ts';
import { read, startRotator } from '../support/rig.ts';

const random = seededRandom(7);
const closings: Record<string, Closing> = {
  'a FIN with the response': (socket, response) => void socket.end(response),
  'a FIN in a later turn': (socket, response) => {
    socket.write(response, () => setImmediate(() => socket.end()));
  },
  'a FIN after 0 to 5 ms': (socket, response) => {
    socket.write(response);
    // What comes after the first response is not answered any more.
    socket.removeAllListeners('data').resume();
    setTimeout(() => socket.end(), random() * 5);
  },
  'an RST': (socket, response) => void socket.write(response, () => socket.resetAndDestroy()),
};

function rotatorOver(url: string, options: RotatorOptions = {}) {
  const rotator = startRotator({
    proxies: [url],
    tunnel: url.startsWith('http:') ? undefined : 'always',
    retryPolicy: null,
    ...options,
  });
  const ends: WhirlEvents['attempt:end'][] = [];
  rotator.bus.on('attempt:end', (event) => void ends.push(event));
  return { rotator, ends };
}

/** So many requests by so many callers at a time; what each came to. */
async function ask(rotator: ProxyRotator, method: string, count: number, atOnce: number) {
  const came: string[] = [];
  let left = count;
  const caller = async () => {
    while (left-- > 0) {
      const request = rotator.request('http://t.test/', {
        method,
        ...(method === 'POST' ? { body: 'once' } : {}),
      });
      came.push(await read(request).then(({ text }) => text, String));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, caller));
  return came;
}

const allOk = Array.from({ length: 100 }, () => 'ok');

describe('C8c a proxy that closes its connections after each response, without saying so', () => {
  for (const speech of ['absolute', 'tunnel', 'socks5h'] satisfies Speech[]) {
    for (const [name, close] of Object.entries(closings)) {
      for (const method of ['GET', 'POST']) {
        it(`100 of 100: ${name}, ${speech}, ${method}, one and eight at a time`, async () => {
          const proxy = await startClosingProxy(speech, close);
          const tunnel = speech === 'tunnel' ? 'always' : 'auto';
          const { rotator, ends } = rotatorOver(proxy.url, { tunnel });
          expect(await ask(rotator, method, 100, 1)).toEqual(allOk);
          expect(await ask(rotator, method, 100, 8)).toEqual(allOk);
          expect(ends).toHaveLength(200);
          expect(
            ends.every(({ outcome, blame }) => outcome === 'success' && blame === 'none'),
          ).toBe(true);
          const [view] = rotator.proxies();
          expect(view).toMatchObject({ state: 'closed', successRate: 1 });
        });
      }
    }
  }
});

/** The next turn of the loop: a connection whose response has ended is idle from then on. */
const turn = () => new Promise((resolve) => void setImmediate(() => setImmediate(resolve)));

/** Answers the first request on a connection, and closes it when the second one arrives. */
const dropSecond: Closing = (socket, response) => {
  socket.write(response);
  socket.removeAllListeners('data').once('data', () => socket.destroy());
};

describe('C8c a reused connection that is lost before a byte of the response', () => {
  it("is no attempt's failure: the request goes again at once, to the same proxy, within the attempt", async () => {
    const proxy = await startClosingProxy('absolute', dropSecond);
    const { rotator, ends } = rotatorOver(proxy.url, {
      retryPolicy: { maxAttempts: 2, baseDelayMs: 60_000, maxBackoffDelayMs: 60_000 },
      circuitBreaker: { failureThreshold: 1 },
      budget: { ratio: 0, minPerSecond: 0 },
    });
    await read(rotator.get('http://t.test/1'));
    const response = await rotator.get('http://t.test/2');
    expect(await response.body.text()).toBe('ok');
    expect(response.attempts).toMatchObject([{ attempt: 0, delayBeforeMs: 0, outcome: 'success' }]);
    expect(proxy.stats).toEqual({ connections: 2, requests: 2 });
    expect(ends.map(({ outcome, attempt }) => [outcome, attempt])).toEqual([
      ['success', 0],
      ['success', 0],
    ]);
    expect(rotator.proxies()).toMatchObject([{ state: 'closed', successRate: 1 }]);
  });

  it('a request that cannot be repeated fails, and no proxy is to blame', async () => {
    const clock = { now: 0 };
    const proxy = await startClosingProxy('absolute', dropSecond);
    const { rotator, ends } = rotatorOver(proxy.url, {
      now: () => clock.now,
      retryPolicy: { maxAttempts: 3, baseDelayMs: 100 },
      circuitBreaker: { failureThreshold: 1 },
    });
    const refused: string[] = [];
    rotator.bus.on('retry:refused', ({ reason }) => void refused.push(reason));
    await read(rotator.post('http://t.test/', { body: '1' }));
    await turn();
    // The connection has lasted for a while, so it counts as one that is kept.
    clock.now += 100;
    await expect(rotator.post('http://t.test/', { body: '2' })).rejects.toMatchObject({
      code: 'PROXY_CONNECTION',
      phase: 'headers',
    });
    expect(refused).toEqual(['method']);
    expect(ends[1]).toMatchObject({ outcome: 'failure', blame: 'none', reason: 'reset' });
    expect(rotator.proxies()).toMatchObject([{ state: 'closed', successRate: 1 }]);
  });

  it('a request that cannot be repeated gets a used connection only where those are known to last', async () => {
    const clock = { now: 0 };
    const keeps: Closing = (socket, response) => void socket.write(response);
    const proxy = await startClosingProxy('absolute', keeps);
    const { rotator } = rotatorOver(proxy.url, { now: () => clock.now, connections: 2 });
    const post = async () => {
      await read(rotator.post('http://t.test/', { body: 'x' }));
      await turn();
    };
    const connections = () => proxy.requests.map(({ connection }) => connection);
    for (let i = 0; i < 3; i++) await post();
    // The third closes the oldest: no more than two at a time.
    expect(connections()).toEqual([1, 2, 3]);
    clock.now = 99;
    await post();
    expect(connections()).toEqual([1, 2, 3, 4]);
    clock.now = 199;
    await post();
    expect(connections()).toEqual([1, 2, 3, 4, 4]);
    await read(rotator.put('http://t.test/', { body: 'x' }));
    expect(connections()).toEqual([1, 2, 3, 4, 4, 4]);
  });

  const phases: Record<string, (callback: () => void) => void> = {
    timers: (callback) => void setTimeout(callback, 0),
    poll: (callback) => fs.stat('.', callback),
    check: (callback) => void setImmediate(callback),
  };
  for (const [phase, enter] of Object.entries(phases)) {
    it(`a loop that was late proves no connection to last, whatever its phase: ${phase}`, async () => {
      const proxy = await startClosingProxy('absolute', (socket, response) => {
        socket.write(response);
        socket.removeAllListeners('data').resume();
        setTimeout(() => socket.end(), 5);
      });
      const { rotator } = rotatorOver(proxy.url);
      const post = () => read(rotator.post('http://t.test/', { body: 'x' }));
      await post();
      await turn();
      const late = new Promise((resolve) => {
        enter(() => {
          // The end of the connection is due, but neither sent nor read.
          const until = performance.now() + 150;
          while (performance.now() < until);
          resolve(post());
        });
      });
      expect(await late).toMatchObject({ text: 'ok' });
      for (let i = 0; i < 5; i++) expect(await post()).toMatchObject({ text: 'ok' });
    });
  }

  it('two such losses within a minute stop the reuse for a minute: each request has a connection of its own', async () => {
    const clock = { now: 0 };
    const proxy = await startClosingProxy('absolute', dropSecond);
    const { rotator } = rotatorOver(proxy.url, { now: () => clock.now });
    const get = async () => read(rotator.get('http://t.test/'));
    for (let i = 0; i < 3; i++) {
      await get();
      clock.now += 1000;
    }
    expect(proxy.stats.connections).toBe(3);
    for (let i = 0; i < 20; i++) {
      await get();
      const post = await read(rotator.post('http://t.test/', { body: 'x' }));
      expect(post.text).toBe('ok');
      clock.now += 1000;
    }
    // The third connection was still made for reuse; those after it are not.
    expect(proxy.stats).toEqual({ connections: 43, requests: 43 });
  });

  it('a body that was read from a stream is not sent in part: the loss stands', async () => {
    const proxy = await startClosingProxy('absolute', dropSecond);
    const { rotator } = rotatorOver(proxy.url, { retryPolicy: { retryNonIdempotent: true } });
    const put = async () =>
      read(
        rotator.put('http://t.test/', {
          body: Readable.from(['all of it']),
          headers: { 'content-length': '9' },
        }),
      );
    // Each is given a connection of its own.
    for (let i = 0; i < 3; i++) expect((await put()).text).toBe('ok');
    expect(proxy.stats.connections).toBe(3);
  });
});
