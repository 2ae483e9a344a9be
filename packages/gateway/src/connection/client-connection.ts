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
import { listenFor, over, type Stage, type Staged } from '../tunnel/stage.ts';
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
export class ClientConnection implements Staged, Stage {
  /** First this itself, which reads what the client asks for. */
  stage: Stage = this;
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
  /** A request in absolute form for which the target has switched protocols. */
  #upgraded: Relay | undefined;
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
    listenFor(this, socket);
    this.#listen();
  }

  /** Its tunnel, while it has one. */
  get tunnel(): ClientTunnel | undefined {
    return this.#tunnel;
  }

  /** Whether something is under way for the client. */
  get busy(): boolean {
    return (this.#tunnel ?? this.#request ?? this.#upgraded) !== undefined;
  }

  /** Ends it when nothing is under way: once what waits to be sent of a response has gone out. */
  retire(): void {
    this.#enter(over);
    this.#socket.destroySoon();
  }

  /** Ends it. What is under way is torn, so that the client can tell it from a complete one. */
  end(): void {
    const open = this.#tunnel ?? this.#upgraded;
    if (open !== undefined) open.cut();
    else if (this.#request !== undefined) reset(this.#socket);
    else this.#socket.destroy();
  }

  /** Waits for the head of a request, or for a greeting. */
  #listen(): void {
    const { headTimeoutMs } = this.#context.options;
    this.#timer = setTimeout(slow, headTimeoutMs, this);
    this.stage = this;
  }

  #enter(stage: Stage): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.stage = stage;
  }

  ended(): void {
    this.#socket.destroy();
  }

  data(chunk: Buffer): void {
    try {
      if (this.#socks !== undefined) this.#step(this.#socks.push(chunk));
      else if (this.#head !== undefined) this.#read(this.#head, chunk);
      else this.#first(chunk);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#refuse(error);
    }
  }

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
      this.#enter(over);
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
    this.#admit(asked);
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
      (told) => this.#respondFailure(told),
    );
  }

  #forward(head: AbsoluteHead, asked: ParsedUsername, rest: Buffer): void {
    const context = this.#context;
    const { rotator, options, pseudonym, counters } = context;
    const { hostname, port } = head.url;
    checkTarget(this.#context, {
      host: hostname.replace(/^\[|\]$/g, ''),
      port: Number(port) || 80,
    });
    if (expectsOther(head)) throw new Refusal(417, 'the only expectation is 100-continue');
    counters.requests++;
    const route = routed(this.#context, asked);
    const request = new ForwardedRequest(this.#socket, head, {
      get isLast() {
        return context.closing;
      },
      responded: (behind) => {
        this.#request = undefined;
        if (behind === undefined) this.#leave();
        else this.#again(behind);
      },
      failed: (error) => {
        this.#request = undefined;
        if (error instanceof Refusal) this.#refuse(error);
        else this.#respondFailure(toldFailure(error), head.method === 'HEAD');
      },
      upgraded: (target, behind) => {
        this.#request = undefined;
        const socket = target as net.Socket;
        socket.allowHalfOpen = true;
        if (behind.length > 0) socket.write(behind);
        const relay = new Relay(this.#socket, socket, options);
        this.#upgraded = relay;
        this.#enter(relay);
        relay.start();
      },
      broken: () => {
        this.#request = undefined;
        this.#enter(over);
        reset(this.#socket);
      },
    });
    const left = () => {
      request.cut();
      this.#request = undefined;
      this.#enter(over);
      this.#socket.destroy();
    };
    this.#request = request;
    this.#enter({ data: (chunk) => request.push(chunk), ended: left, closed: left });
    const { dispatcher } = rotator.with(route.options);
    route.watch(rotator.bus, () =>
      request.start(dispatcher, rest, options.via ? `1.1 ${pseudonym}` : undefined),
    );
  }

  /** The connection serves another request, whose first bytes may be here. */
  #again(behind: Buffer): void {
    this.#listen();
    if (behind.length > 0) this.data(behind);
  }

  // SOCKS5.

  #step(step: SocksStep | undefined): void {
    if (step === undefined) return;
    if (step.kind === 'end') {
      this.#context.counters.refused++;
      this.#leave();
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
    const send = (code: number) => void this.#socket.write(encodeReply(code));
    try {
      this.#admit(asked);
      checkLoop(this.#context, []);
      checkTarget(this.#context, to);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#context.counters.refused++;
      send(error.statusCode === 403 ? socksReply.notAllowed : socksReply.generalFailure);
      this.#leave();
      return;
    }
    this.#open(
      asked,
      to,
      rest,
      () => send(socksReply.succeeded),
      ({ reply }) => {
        send(reply);
        this.#leave();
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
    this.#socks = undefined;
    const tunnel = new Tunnel(this.#socket, this.#context, asked, to, {
      grant,
      refuse: (told) => {
        this.#tunnel = undefined;
        refuse(told);
      },
      established: (open) => {
        this.#tunnel = open;
        this.#enter(open);
      },
    });
    this.#tunnel = tunnel;
    this.#asked = undefined;
    this.#enter(tunnel);
    tunnel.start(rest);
  }

  /** An authenticated client is counted by its name. Throws a `Refusal` when it has its fill. */
  #admit({ name }: ParsedUsername): void {
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

  /** No complete head, or greeting, came in time. */
  slow(): void {
    if (this.#head?.begun === true) {
      this.#refuse(new Refusal(408, 'the head of the request did not come in time'));
    } else {
      this.#enter(over);
      this.#socket.destroy();
    }
  }

  #refuse(refusal: Refusal): void {
    this.#context.counters.refused++;
    const { statusCode, message } = refusal;
    const fields = refusal instanceof CredentialsRefusal ? refusal.fields : [];
    this.#socket.write(encodeError(statusCode, { fields, error: wordFor(statusCode), message }));
    this.#leave();
  }

  #respondFailure(told: ToldFailure, head = false): void {
    const { statusCode, proxyError, message, attempts, retryAfterMs } = told;
    const fields = ['Proxy-Status', `whirl; error=${proxyError}`];
    if (retryAfterMs !== undefined) {
      fields.push('Retry-After', String(Math.max(1, Math.ceil(retryAfterMs / 1000))));
    }
    const error = wordFor(statusCode);
    this.#socket.write(encodeError(statusCode, { fields, error, message, attempts, head }));
    this.#leave();
  }

  /** It has its response: it is closed. */
  #leave(): void {
    this.#enter(over);
    linger(this.#socket);
  }

  gone(): void {
    clearTimeout(this.#timer);
    if (this.#countedAs !== undefined) this.#context.clients.leave(this.#countedAs);
    this.#onEnd(this);
  }
}

function slow(connection: ClientConnection): void {
  connection.slow();
}
