import type net from 'node:net';
import { Readable, type Duplex } from 'node:stream';
import type { ProxyRotator } from '@whirl/rotator';
import { Refusal } from '../head/refusal.ts';
import { has, listOf, valueOf, valuesOf, type AbsoluteHead } from '../head/request-head.ts';
import { BodyDecoder } from './body-decoder.ts';
import { passedOn } from './hop-by-hop.ts';
import { ResponseWriter } from './response-writer.ts';

type Dispatcher = ProxyRotator['dispatcher'];
type Handler = Parameters<Dispatcher['dispatch']>[1];
type Controller = Parameters<NonNullable<Handler['onResponseStart']>>[0];
type HeaderMap = Record<string, string | string[] | undefined>;

/** What a forwarded request tells. Exactly one of `responded`, `failed`, `upgraded` and `broken` is called. */
export interface ForwardOwner {
  /** Whether the client's connection ends with this request, whatever the client wants. */
  readonly isLast: boolean;
  /** The response went out whole. `rest`: what the client sent behind its request; undefined: close. */
  responded(rest: Buffer | undefined): void;
  /** There is no response, and none of it went out. */
  failed(error: Error): void;
  /** The target switched protocols: the two sides are to be joined. */
  upgraded(target: Duplex, rest: Buffer): void;
  /** The response broke off: the client's connection is to be reset. */
  broken(error: Error): void;
}

const continues = 'HTTP/1.1 100 Continue\r\n\r\n';

/** One request in absolute form, between a client's connection and the rotator's dispatcher. */
export class ForwardedRequest {
  readonly #socket: net.Socket;
  readonly #head: AbsoluteHead;
  readonly #owner: ForwardOwner;
  readonly #writer: ResponseWriter;
  readonly #decoder: BodyDecoder;
  readonly #body: Readable | undefined;
  #controller: Controller | undefined;
  /** What came behind the body. */
  #rest: Buffer = Buffer.alloc(0);
  #paused = false;
  #ended = false;

  constructor(socket: net.Socket, head: AbsoluteHead, owner: ForwardOwner) {
    this.#socket = socket;
    this.#head = head;
    this.#owner = owner;
    this.#writer = new ResponseWriter(socket, head.method, head.modern);
    const body = head.framing.kind === 'none' ? undefined : this.#makeBody();
    this.#body = body;
    this.#decoder = new BodyDecoder(head.framing, (bytes) => {
      if (body?.destroyed === false && !body.push(bytes)) this.#pause(true);
    });
  }

  /** Sends it. `via`: the field to add, where there is one. */
  start(dispatcher: Dispatcher, rest: Buffer, via: string | undefined): void {
    const { method, url, path, fields, framing } = this.#head;
    const upgrade = framing.kind === 'none' ? this.#upgrade() : undefined;
    const headers = passedOn(fields, ['host', 'expect', 'content-length', 'trailer']);
    if (framing.kind === 'length') headers.push('Content-Length', String(framing.bytes));
    if (via !== undefined) headers.push('Via', via);
    this.#socket.on('drain', this.#onDrain);
    this.push(rest);
    if (this.#ended) return;
    dispatcher.dispatch(
      {
        origin: url.origin,
        path,
        method: method as 'GET',
        headers,
        body: this.#body ?? null,
        ...(upgrade === undefined ? {} : { upgrade }),
      },
      this.#handler(),
    );
  }

  /** Takes bytes of the client. */
  push(chunk: Buffer): void {
    if (this.#decoder.done) {
      this.#rest = Buffer.concat([this.#rest, chunk]);
      // It waits for the response to this request.
      this.#pause(true);
      return;
    }
    let rest: Buffer | undefined;
    try {
      rest = this.#decoder.push(chunk);
    } catch (error) {
      this.#fail(error as Error);
      return;
    }
    if (rest === undefined) return;
    this.#rest = rest;
    this.#body?.push(null);
  }

  /** The client went away, or the gateway closes. */
  cut(): void {
    if (this.#ended) return;
    this.#finish();
    this.#abort(new Error('the client went away'));
  }

  #makeBody(): Readable {
    let asked = false;
    const expects = valueOf(this.#head.fields, 'expect') !== undefined;
    const body = new Readable({
      read: () => {
        if (!asked && expects && this.#head.modern && !this.#writer.started) {
          this.#socket.write(continues);
        }
        asked = true;
        this.#pause(false);
      },
    });
    body.on('error', () => {});
    return body;
  }

  #upgrade(): string | undefined {
    const { fields } = this.#head;
    return listOf(fields, 'connection').includes('upgrade')
      ? valueOf(fields, 'upgrade')
      : undefined;
  }

  #pause(wanted: boolean): void {
    if (this.#paused === wanted || this.#ended) return;
    this.#paused = wanted;
    if (wanted) this.#socket.pause();
    else this.#socket.resume();
  }

  readonly #onDrain = (): void => this.#controller?.resume();

  #handler(): Handler {
    return {
      onRequestStart: (controller) => {
        this.#controller = controller;
      },
      onRequestUpgrade: (controller, statusCode, headers, target) => {
        if (this.#ended) {
          target.on('error', () => {}).destroy();
          return;
        }
        this.#finish();
        const fields = flat(controller.rawHeaders, headers);
        const own = passedOn(fields);
        own.push('Connection', 'Upgrade', 'Upgrade', valueOf(fields, 'upgrade') ?? '');
        let text = `HTTP/1.1 ${statusCode} Switching Protocols\r\n`;
        for (let i = 0; i < own.length; i += 2) text += `${own[i]}: ${own[i + 1]}\r\n`;
        this.#socket.write(`${text}\r\n`, 'latin1');
        this.#owner.upgraded(target as Duplex, this.#rest);
      },
      onResponseStart: (controller, statusCode, headers, message) => {
        if (this.#ended) return;
        this.#controller = controller;
        const fields = flat(controller.rawHeaders, headers);
        if (statusCode < 200) this.#writer.interim(statusCode, message ?? '', fields);
        else this.#writer.start(statusCode, message ?? '', fields, !this.#persistent);
      },
      onResponseData: (controller, chunk) => {
        if (!this.#ended && !this.#writer.data(chunk)) controller.pause();
      },
      onResponseEnd: (controller, trailers) => {
        if (this.#ended) return;
        this.#writer.end(flat(controller.rawTrailers, trailers as HeaderMap));
        const goesOn = this.#persistent && this.#writer.delimited && this.#decoder.done;
        this.#finish();
        this.#owner.responded(goesOn ? this.#rest : undefined);
      },
      onResponseError: (_controller, error) => this.#fail(error),
    };
  }

  /** Whether the client wants to send another request through this connection. */
  get #persistent(): boolean {
    const { modern, fields } = this.#head;
    if (!modern || this.#owner.isLast) return false;
    const options = [...listOf(fields, 'connection'), ...listOf(fields, 'proxy-connection')];
    return !options.includes('close');
  }

  #fail(error: Error): void {
    if (this.#ended) return;
    this.#finish();
    this.#abort(error);
    if (this.#writer.started) this.#owner.broken(error);
    else this.#owner.failed(error);
  }

  #abort(error: Error): void {
    this.#body?.destroy(error instanceof Refusal ? error : undefined);
    this.#controller?.abort(error);
  }

  #finish(): void {
    this.#pause(false);
    this.#ended = true;
    this.#socket.off('drain', this.#onDrain);
  }
}

/** Fields as a flat list: as they came where the dispatcher shows that, else from its map. */
function flat(raw: unknown, map: HeaderMap): string[] {
  if (Array.isArray(raw)) {
    return raw.map((each: Buffer | string) =>
      typeof each === 'string' ? each : each.toString('latin1'),
    );
  }
  return Object.entries(map).flatMap(([name, value]) =>
    [value].flat().flatMap((each) => (each === undefined ? [] : [name, each])),
  );
}

/** Whether a request expects something else than that it may go on. */
export function expectsOther(head: AbsoluteHead): boolean {
  const { fields } = head;
  if (!has(fields, 'expect')) return false;
  return valuesOf(fields, 'expect').some((value) => value.toLowerCase() !== '100-continue');
}
