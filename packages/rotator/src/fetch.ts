import type { Dispatcher } from 'undici';
// By its file: Bun puts a stub of its own in the place of 'undici'.
import * as undici from 'undici/index.js';
import { FetchBypassedError } from './errors.ts';
import { refuse } from './message/undici-handler.ts';

/** Bun's and Deno's own fetch take no dispatcher. */
export const ignoresDispatcher = 'bun' in process.versions || 'deno' in process.versions;

type Fetch = typeof globalThis.fetch;
type Dispatch = Pick<Dispatcher, 'dispatch'>;

/** A fetch and the classes that it takes and gives. */
interface Kit {
  readonly fetch: Fetch;
  readonly Request: typeof globalThis.Request;
  readonly FormData: typeof globalThis.FormData;
}

const undiciKit = {
  fetch: undici.fetch,
  Request: undici.Request,
  FormData: undici.FormData,
} as unknown as Kit;

/**
 * Where a fetch is sent to find out whether it asks the dispatcher that it is given. One that does not
 * dials this machine, at a port that is seldom in use; the verdict does not depend on what it finds.
 */
const probeUrl = 'http://127.0.0.1:65535/';
const probeMs = 1000;

/** The verdicts on the functions that were found at `globalThis.fetch`. */
const verdicts = new WeakMap<Fetch, Promise<boolean>>();

/**
 * Fetches through a dispatcher, and never without it. The platform's own fetch is used where it asks the
 * dispatcher: the built-in fetch of Node, and one that was put in its place and passes the dispatcher on.
 * Everywhere else (Bun, Deno, a replacement that drops the option) it is undici's. Both give a
 * `globalThis.Response`.
 */
export async function fetchThrough(
  dispatcher: Dispatch,
  input: string | URL | Request,
  init: RequestInit,
): Promise<Response> {
  const { fetch, Request, FormData } = globalThis;
  if (typeof fetch !== 'function' || !(await asksDispatcher(fetch))) {
    return global(await send(undiciKit, dispatcher, input, init));
  }
  const entrance = new RotatorEntrance(dispatcher);
  const response = await send({ fetch, Request, FormData }, entrance, input, init);
  if (!entrance.used && isHttp(input)) {
    void response.body?.cancel().catch(() => {});
    throw new TypeError('fetch failed', { cause: new FetchBypassedError() });
  }
  return response;
}

/** Sees whether a request comes to the dispatcher. */
class RotatorEntrance implements Dispatch {
  readonly #dispatcher: Dispatch;
  used = false;

  constructor(dispatcher: Dispatch) {
    this.#dispatcher = dispatcher;
  }

  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    this.used = true;
    return this.#dispatcher.dispatch(options, handler);
  }
}

function asksDispatcher(fetch: Fetch): Promise<boolean> {
  let verdict = verdicts.get(fetch);
  if (verdict === undefined) verdicts.set(fetch, (verdict = probe(fetch)));
  return verdict;
}

/** Judges by what it does: a replacement may look like the built-in fetch, and have its name. */
async function probe(fetch: Fetch): Promise<boolean> {
  // Deno would ask its user for leave to dial.
  if (ignoresDispatcher) return false;
  const abort = new AbortController();
  return new Promise<boolean>((resolve) => {
    const timer = setTimeout(() => {
      resolve(false);
      abort.abort();
    }, probeMs);
    const end = (verdict: boolean) => {
      clearTimeout(timer);
      resolve(verdict);
    };
    const dispatcher: Dispatch = {
      dispatch(_options, handler) {
        end(true);
        refuse(handler, new Error('only asked'));
        return true;
      },
    };
    const init = { dispatcher, signal: abort.signal } as unknown as RequestInit;
    // A replacement may throw, or not return a promise.
    void (async () => fetch(probeUrl, init))().then(
      (response) => {
        end(false);
        void response?.body?.cancel?.().catch(() => {});
      },
      () => end(false),
    );
  });
}

function send(
  kit: Kit,
  dispatcher: Dispatch,
  input: string | URL | Request,
  init: RequestInit,
): Promise<Response> {
  const { body } = init;
  const own = { ...init, dispatcher } as RequestInit;
  if (isForeign(body, 'FormData', kit.FormData)) own.body = form(body as FormData, kit);
  const target = isForeign(input, 'Request', kit.Request) ? request(input as Request, kit) : input;
  return kit.fetch(target, own);
}

/** An object of another library's class of that name: fetch would take it for a string. */
function isForeign(value: unknown, name: string, own: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if ((value as { [Symbol.toStringTag]?: string })[Symbol.toStringTag] !== name) return false;
  return typeof own !== 'function' || !(value instanceof own);
}

function form(given: FormData, kit: Kit): FormData {
  const own = new kit.FormData();
  for (const [name, value] of given) {
    if (typeof value === 'string') own.append(name, value);
    else own.append(name, value, value.name);
  }
  return own;
}

function request(given: Request, kit: Kit): Request {
  const { url, method, redirect, signal, integrity, body } = given;
  const own = { method, redirect, signal, integrity, headers: [...given.headers] };
  if (body === null || body === undefined) return new kit.Request(url, own as RequestInit);
  return new kit.Request(url, { ...own, body, duplex: 'half' } as RequestInit);
}

/** undici's response as one of the platform, which its servers and frameworks insist on. */
function global(response: Response): Response {
  const { status, statusText, body } = response;
  // Statuses that the constructor refuses.
  if (status < 200 || status > 599) return response;
  const own = new Response(body, { status, statusText, headers: [...response.headers] });
  for (const name of ['url', 'redirected', 'type'] as const) {
    Object.defineProperty(own, name, { value: response[name], enumerable: true });
  }
  return own;
}

/** Others, `data:` for one, never go to the network. */
function isHttp(input: string | URL | Request): boolean {
  return /^https?:/.test(
    new URL(typeof input === 'object' && 'url' in input ? input.url : input).href,
  );
}
