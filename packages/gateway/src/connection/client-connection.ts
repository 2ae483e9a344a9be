import type net from 'node:net';
import { CredentialsRefusal } from '../access/credentials-refusal.ts';
import type { GatewayContext } from './gateway-context.ts';
import { expectsOther, ForwardedRequest } from '../forward/forwarded-request.ts';
import { HeadReader } from '../head/head-reader.ts';
import { Refusal } from '../head/refusal.ts';
import { parseRequestHead, type AbsoluteHead, type ConnectHead } from '../head/request-head.ts';
import { encodeError, wordFor } from './error-response.ts';
import { routed } from '../routing/route.ts';
import type { ParsedUsername } from '../routing/username.ts';
import { SocksNegotiation, type SocksStep } from '../socks/socks-negotiation.ts';
import { encodeReply, socksReply } from '../socks/socks-reply.ts';
import type { ClientTunnel } from '../tunnel/established-tunnel.ts';
import { Relay } from '../tunnel/relay.ts';
import { toldFailure, type ToldFailure } from '../tunnel/tunnel-error.ts';
import { Tunnel } from '../tunnel/tunnel.ts';
import { reset } from '../tunnel/reset.ts';
import { linger } from './linger.ts';
import { addressOf, admit, admitFields, checkLoop, checkTarget } from './reception.ts';

const socksVersion = 5;
const handshakeRecord = 22;
const granted = 'HTTP/1.1 200 Connection established\r\n\r\n';
const crowded = 'this client has too many connections';

/** One connection of a client, from its first byte on. */
export class ClientConnection {
  readonly #socket: net.Socket;
  readonly #context: GatewayContext;
  readonly #onEnd: (connection: ClientConnection) => void;
  readonly #address: string;
  #timer: NodeJS.Timeout | undefined;
  #head: HeadReader | undefined;
  #socks: SocksNegotiation | undefined;
  #asked: ParsedUsername | undefined;
  #request: ForwardedRequest | undefined;
  #tunnel: ClientTunnel | undefined;
  /** Under which it is counted; undefined: its client has its fill. */
  #countedAs: string | undefined;

  constructor(
    socket: net.Socket,
    context: GatewayContext,
    onEnd: (connection: ClientConnection) => void,
  ) {
    this.#socket = socket;
    this.#context = context;
    this.#onEnd = onEnd;
    this.#address = addressOf(socket);
    this.#count(`address ${this.#address}`);
    socket.on('error', ignore).on('close', () => this.#closed());
    this.#listen();
  }

  /** Its tunnel, while it has one. */
  get tunnel(): ClientTunnel | undefined {
    return this.#tunnel;
  }

  /** Whether something is under way for the client. */
  get busy(): boolean {
    return this.#tunnel !== undefined || this.#request !== undefined;
  }

  /** Ends it. What is under way is torn, so that the client can tell it from a complete one. */
  end(): void {
    if (this.#tunnel !== undefined) this.#tunnel.cut();
    else if (this.#request !== undefined) reset(this.#socket);
    else this.#socket.destroy();
  }

  /** Waits for the head of a request, or for a greeting. */
  #listen(): void {
    const { headTimeoutMs } = this.#context.options;
    this.#timer = setTimeout(() => this.#slow(), headTimeoutMs);
    this.#socket.on('data', this.#onData).on('end', this.#onFin).resume();
  }

  #unlisten(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#socket.off('data', this.#onData).off('end', this.#onFin);
  }

  readonly #onFin = (): void => void this.#socket.destroy();

  readonly #onData = (chunk: Buffer): void => {
    try {
      if (this.#socks !== undefined) this.#step(this.#socks.push(chunk));
      else if (this.#head !== undefined) this.#read(this.#head, chunk);
      else this.#first(chunk);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#refuse(error);
    }
  };

  #first(chunk: Buffer): void {
    const [byte = 0] = chunk;
    if (byte === socksVersion) {
      const { size } = this.#context.credentials;
      this.#socks = new SocksNegotiation(size > 0, (reply) => void this.#socket.write(reply));
      this.#step(this.#socks.push(chunk));
    } else if (byte >= 0x41 && byte <= 0x5a) {
      this.#head = new HeadReader();
      this.#read(this.#head, chunk);
    } else if (byte === handshakeRecord) {
      throw new Refusal(
        400,
        'this proxy does not speak TLS itself: write http:// in its URL, for https:// targets too',
      );
    } else {
      this.#context.counters.refused++;
      this.#unlisten();
      this.#socket.destroy();
    }
  }

  // HTTP.

  #read(reader: HeadReader, chunk: Buffer): void {
    const whole = reader.push(chunk);
    if (whole === undefined) return;
    this.#head = undefined;
    const head = parseRequestHead(whole.text);
    const asked = admitFields(this.#context, this.#address, head.fields);
    this.#enter(asked);
    checkLoop(this.#context, head.fields);
    if (head.kind === 'connect') this.#connect(head, asked, whole.rest);
    else this.#forward(head, asked, whole.rest);
  }

  #connect({ to }: ConnectHead, asked: ParsedUsername, rest: Buffer): void {
    checkTarget(this.#context, to);
    this.#open(
      asked,
      to,
      rest,
      () => void this.#socket.write(granted, 'latin1'),
      (told) => this.#answerFailure(told),
    );
  }

  #forward(head: AbsoluteHead, asked: ParsedUsername, rest: Buffer): void {
    const { rotator, options, pseudonym, counters } = this.#context;
    const { hostname, port } = head.url;
    checkTarget(this.#context, {
      host: hostname.replace(/^\[|\]$/g, ''),
      port: Number(port) || 80,
    });
    if (expectsOther(head)) throw new Refusal(417, 'the only expectation is 100-continue');
    this.#unlisten();
    counters.requests++;
    const route = routed(this.#context, asked);
    const request = new ForwardedRequest(this.#socket, head, {
      answered: (behind) => {
        done();
        if (behind === undefined) linger(this.#socket);
        else this.#again(behind);
      },
      failed: (error) => {
        done();
        const told = error instanceof Refusal ? undefined : toldFailure(error);
        if (told === undefined) this.#refuse(error as Refusal);
        else this.#answerFailure(told, head.method === 'HEAD');
      },
      upgraded: (target, behind) => {
        done();
        const socket = target as net.Socket;
        socket.allowHalfOpen = true;
        if (behind.length > 0) socket.write(behind);
        new Relay(this.#socket, socket, options);
      },
      broken: () => {
        done();
        reset(this.#socket);
      },
    });
    const onData = (chunk: Buffer) => request.push(chunk);
    const onLeft = () => {
      request.cut();
      done();
      this.#socket.destroy();
    };
    const done = () => {
      this.#request = undefined;
      this.#socket.off('data', onData).off('end', onLeft).off('close', onLeft);
    };
    this.#request = request;
    this.#socket.on('data', onData).on('end', onLeft).on('close', onLeft);
    const { dispatcher } = rotator.with(route.options);
    route.watch(rotator.bus, () =>
      request.start(dispatcher, rest, options.via ? `1.1 ${pseudonym}` : undefined),
    );
  }

  /** The connection serves another request, whose first bytes may be here. */
  #again(behind: Buffer): void {
    this.#listen();
    if (behind.length > 0) this.#onData(behind);
  }

  // SOCKS5.

  #step(step: SocksStep | undefined): void {
    if (step === undefined) return;
    if (step.kind === 'end') {
      this.#context.counters.refused++;
      this.#unlisten();
      linger(this.#socket);
    } else if (step.kind === 'credentials') {
      const socks = this.#socks as SocksNegotiation;
      let next: SocksStep | undefined;
      try {
        this.#asked = admit(this.#context, this.#address, step);
        next = socks.accept();
      } catch (error) {
        if (!(error instanceof CredentialsRefusal)) throw error;
        next = socks.deny();
      }
      this.#step(next);
    } else this.#socksRequest(step);
  }

  #socksRequest({ to, rest }: SocksStep & { readonly kind: 'request' }): void {
    const asked = this.#asked ?? { name: '', wishes: {} };
    const answer = (code: number) => void this.#socket.write(encodeReply(code));
    try {
      this.#enter(asked);
      checkLoop(this.#context, []);
      checkTarget(this.#context, to);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#context.counters.refused++;
      this.#unlisten();
      answer(error.statusCode === 403 ? socksReply.notAllowed : socksReply.generalFailure);
      linger(this.#socket);
      return;
    }
    this.#open(
      asked,
      to,
      rest,
      () => answer(socksReply.succeeded),
      ({ reply }) => {
        answer(reply);
        linger(this.#socket);
      },
    );
  }

  // Both.

  #open(
    asked: ParsedUsername,
    to: { readonly host: string; readonly port: number },
    rest: Buffer,
    grant: () => void,
    refuse: (told: ToldFailure) => void,
  ): void {
    this.#unlisten();
    this.#socks = undefined;
    const tunnel = new Tunnel(this.#socket, this.#context, asked, to, {
      grant,
      refuse: (told) => {
        this.#tunnel = undefined;
        refuse(told);
      },
      established: (open) => {
        this.#tunnel = open;
      },
    });
    this.#tunnel = tunnel;
    this.#asked = undefined;
    tunnel.start(rest);
  }

  /** An authenticated client is counted by its name. Throws a `Refusal` when it has its fill. */
  #enter({ name }: ParsedUsername): void {
    const { clients, credentials } = this.#context;
    if (credentials.size > 0 && this.#countedAs !== `name ${name}`) {
      if (this.#countedAs !== undefined) clients.leave(this.#countedAs);
      this.#countedAs = undefined;
      this.#count(`name ${name}`);
    }
    if (this.#countedAs === undefined) throw new Refusal(429, crowded);
  }

  #count(key: string): void {
    if (this.#context.clients.enter(key)) this.#countedAs = key;
  }

  #slow(): void {
    if (this.#head?.begun === true) {
      this.#refuse(new Refusal(408, 'the head of the request did not come in time'));
    } else {
      this.#unlisten();
      this.#socket.destroy();
    }
  }

  #refuse(refusal: Refusal): void {
    this.#context.counters.refused++;
    this.#unlisten();
    const { statusCode, message } = refusal;
    const fields = refusal instanceof CredentialsRefusal ? refusal.fields : [];
    this.#socket.write(encodeError(statusCode, { fields, error: wordFor(statusCode), message }));
    linger(this.#socket);
  }

  #answerFailure(told: ToldFailure, head = false): void {
    const { statusCode, proxyError, message, attempts, retryAfterMs } = told;
    const fields = ['Proxy-Status', `whirl; error=${proxyError}`];
    if (retryAfterMs !== undefined) {
      fields.push('Retry-After', String(Math.max(1, Math.ceil(retryAfterMs / 1000))));
    }
    const error = wordFor(statusCode);
    this.#socket.write(encodeError(statusCode, { fields, error, message, attempts, head }));
    linger(this.#socket);
  }

  #closed(): void {
    clearTimeout(this.#timer);
    if (this.#countedAs !== undefined) this.#context.clients.leave(this.#countedAs);
    this.#onEnd(this);
  }
}

function ignore(): void {}
