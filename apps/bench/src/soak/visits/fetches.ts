import { request, stream } from 'undici';
import { Writable } from 'node:stream';
import { bytesOf, type Kind } from './visit.ts';
import { isFailure, pathOf, urlOf } from './requests.ts';

/** `rotator.fetch`, and the global fetch over the dispatcher. */
export const fetches: Kind = {
  name: 'fetch',
  weight: 3,
  settles: true,
  async visit(visit) {
    const { view, random, signal } = visit;
    const send = (url: string, init: RequestInit) =>
      random() < 0.5 ? view.fetch(url, init) : fetch(url, view.fetchOptions(init));
    if (random() < 0.3) {
      const length = Math.floor(random() * 8192);
      const body = new Uint8Array(bytesOf(length));
      const response = await send(urlOf(visit, '/echo'), { method: 'POST', body, signal });
      visit.reached('headers');
      const received = Buffer.from(await response.arrayBuffer());
      if (response.status !== 200) return 'failed';
      return received.equals(bytesOf(length)) ? 'succeeded' : 'wrong';
    }
    const { path, expected } = pathOf(random);
    const response = await send(urlOf(visit, path), { signal });
    visit.reached('headers');
    await response.text();
    return isFailure(response.status, expected) ? 'failed' : 'succeeded';
  },
};

/** undici's own functions over `dispatcher`. */
export const dispatched: Kind = {
  name: 'undici',
  weight: 3,
  settles: true,
  async visit(visit) {
    const { view, random, signal } = visit;
    const { dispatcher } = view;
    const { path, expected } = pathOf(random);
    const url = urlOf(visit, path);
    if (random() < 0.5) {
      const response = await request(url, { dispatcher, signal });
      visit.reached('headers');
      await response.body.arrayBuffer();
      return isFailure(response.statusCode, expected) ? 'failed' : 'succeeded';
    }
    let statusCode = 0;
    await stream(url, { dispatcher, signal, method: 'GET' }, (response) => {
      ({ statusCode } = response);
      visit.reached('headers');
      return new Writable({ write: (_chunk, _encoding, callback) => callback() });
    });
    return isFailure(statusCode, expected) ? 'failed' : 'succeeded';
  },
};
