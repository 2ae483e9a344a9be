import net from 'node:net';
import tls from 'node:tls';
import type { Phase } from '@whirl/events';
import { parseRetryAfter } from '@whirl/backoff';
import { SocksClient } from 'socks';
import { ProxyAuthenticationError, ProxyConnectionError, TargetConnectionError } from './errors.ts';
import type { Proxy } from './proxy.ts';

/** TLS settings, of the target (`tls`) or of an https proxy (`proxyTls`). */
export interface TlsOptions {
  readonly ca?: string | Buffer | readonly (string | Buffer)[] | undefined;
  readonly cert?: string | Buffer | undefined;
  readonly key?: string | Buffer | undefined;
  readonly servername?: string | undefined;
  readonly rejectUnauthorized?: boolean | undefined;
}

export interface ConnectorOptions {
  readonly tls?: TlsOptions | undefined;
  readonly proxyTls?: TlsOptions | undefined;
  readonly wallNow: () => number;
}

/** One dial: where it stands, and the way to end it. */
export interface Dial {
  phase: Phase;
  /** Destroys whatever is open. The callback is not called afterwards. */
  cancel(): void;
}

type Done = (error: Error | null, socket: net.Socket | null) => void;

/** A CONNECT answer larger than this is refused. */
const maxHeadBytes = 16_384;

/** `Basic` credentials; a username without a password is sent too. */
export function basicAuth(proxy: Proxy): string | undefined {
  if (proxy.username === undefined && proxy.password === undefined) return undefined;
  const pair = `${proxy.username ?? ''}:${proxy.password ?? ''}`;
  return `Basic ${Buffer.from(pair, 'utf8').toString('base64')}`;
}

function bare(host: string): string {
  return host.startsWith('[') ? host.slice(1, -1) : host;
}

function tcpPhase(error: NodeJS.ErrnoException): Phase {
  return error.syscall === 'getaddrinfo' ? 'dns' : 'tcp';
}

/** Dials through a proxy: once, with a typed error that names its phase. It has no deadline. */
export function dial(
  proxy: Proxy,
  target: { host: string; port: number; secure: boolean } | undefined,
  options: ConnectorOptions,
  done: Done,
): Dial {
  let ended = false;
  let socket: net.Socket | undefined;
  const socks = proxy.protocol.startsWith('socks');

  const failed = (message: string, extra: { cause?: unknown; statusCode?: number } = {}) =>
    new ProxyConnectionError(`${proxy.id}: ${message}`, {
      phase: self.phase,
      proxyId: proxy.id,
      ...extra,
    });
  const finish = (error: Error | null) => {
    if (ended) return;
    ended = true;
    if (error !== null) {
      socket?.on('error', ignore).destroy();
      done(error, null);
    } else {
      done(null, socket as net.Socket);
    }
  };
  const self: Dial = {
    phase: socks ? 'socks' : 'tcp',
    cancel() {
      if (ended) return;
      ended = true;
      socket?.on('error', ignore).destroy();
    },
  };

  const watch = (on: net.Socket) => {
    on.on('error', (error: NodeJS.ErrnoException) => {
      if (ended) return;
      if (self.phase === 'tcp') self.phase = tcpPhase(error);
      if (self.phase === 'tls_target') {
        finish(
          new TargetConnectionError(`TLS with the target failed: ${error.message}`, {
            phase: 'tls_target',
            proxyId: proxy.id,
            cause: error,
          }),
        );
      } else {
        finish(failed(`${self.phase} failed: ${error.code ?? error.message}`, { cause: error }));
      }
    });
    on.on('close', () => {
      if (!ended) finish(failed(`the connection closed in phase ${self.phase}`));
    });
  };

  const secureTarget = () => {
    if (target === undefined || !target.secure) {
      finish(null);
      return;
    }
    self.phase = 'tls_target';
    const host = bare(target.host);
    const secured = tls.connect({
      ...(options.tls as tls.ConnectionOptions | undefined),
      socket: socket as net.Socket,
      ...(net.isIP(host) === 0 ? { servername: options.tls?.servername ?? host } : { host }),
      ALPNProtocols: ['http/1.1'],
    });
    socket = secured;
    watch(secured);
    secured.once('secureConnect', () => finish(null));
  };

  const tunnel = () => {
    if (target === undefined) {
      finish(null);
      return;
    }
    self.phase = 'connect';
    const on = socket as net.Socket;
    const authority = `${target.host}:${target.port}`;
    const auth = basicAuth(proxy);
    on.write(
      `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n` +
        (auth === undefined ? '' : `Proxy-Authorization: ${auth}\r\n`) +
        '\r\n',
    );
    let head = Buffer.alloc(0);
    const onData = (chunk: Buffer) => {
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf('\r\n\r\n');
      if (end === -1) {
        if (head.length > maxHeadBytes) finish(failed('its answer to CONNECT is too large'));
        else if (!'HTTP/1.'.startsWith(head.subarray(0, 7).toString('latin1'))) {
          finish(failed('its answer to CONNECT is not HTTP'));
        }
        return;
      }
      const text = head.subarray(0, end).toString('latin1');
      const status = /^HTTP\/1\.[01] (\d{3})\b/.exec(text)?.[1];
      if (status === undefined) {
        finish(failed('its answer to CONNECT is not HTTP'));
        return;
      }
      const statusCode = Number(status);
      if (statusCode >= 100 && statusCode < 200) {
        const rest = head.subarray(end + 4);
        head = Buffer.alloc(0);
        if (rest.length > 0) onData(rest);
        return;
      }
      on.off('data', onData);
      on.pause();
      if (statusCode === 407) {
        finish(
          new ProxyAuthenticationError(`${proxy.id} answered CONNECT with 407`, {
            phase: 'connect',
            proxyId: proxy.id,
            statusCode,
          }),
        );
      } else if (statusCode >= 200 && statusCode < 300) {
        const rest = head.subarray(end + 4);
        if (rest.length > 0) on.unshift(rest);
        secureTarget();
      } else {
        const retryAfter = /^retry-after:[ \t]*(.*?)[ \t]*$/im.exec(text)?.[1];
        finish(
          new ProxyConnectionError(`${proxy.id} answered CONNECT with ${statusCode}`, {
            phase: 'connect',
            proxyId: proxy.id,
            statusCode,
            retryAfterMs:
              retryAfter === undefined ? undefined : parseRetryAfter(retryAfter, options.wallNow()),
          }),
        );
      }
    };
    on.on('data', onData);
  };

  if (socks) {
    // The library's own dial has no cancel: the TCP connection is ours, and handed to it open.
    const on = net.connect({ host: bare(proxy.host), port: proxy.port, noDelay: true });
    socket = on;
    self.phase = 'tcp';
    watch(on);
    on.once('connect', () => {
      self.phase = 'socks';
      const five = proxy.protocol.startsWith('socks5');
      void SocksClient.createConnection({
        proxy: {
          host: bare(proxy.host),
          port: proxy.port,
          type: five ? 5 : 4,
          ...(proxy.username === undefined ? {} : { userId: proxy.username }),
          ...(proxy.password === undefined ? {} : { password: proxy.password }),
        },
        command: 'connect',
        destination: { host: bare(target?.host ?? ''), port: target?.port ?? 80 },
        existing_socket: on,
      } as Parameters<typeof SocksClient.createConnection>[0]).then(
        () => {
          if (!ended) secureTarget();
        },
        (error: Error) => {
          if (ended) return;
          const failure = { phase: 'socks', proxyId: proxy.id, cause: error } as const;
          finish(
            /auth/i.test(error.message)
              ? new ProxyAuthenticationError(`${proxy.id} refused the SOCKS credentials`, failure)
              : new ProxyConnectionError(`${proxy.id}: SOCKS: ${error.message}`, failure),
          );
        },
      );
    });
    return self;
  }

  if (proxy.protocol === 'https') {
    const host = bare(proxy.host);
    const secured = tls.connect({
      ...(options.proxyTls as tls.ConnectionOptions | undefined),
      host,
      port: proxy.port,
      ...(net.isIP(host) === 0 ? { servername: options.proxyTls?.servername ?? host } : {}),
      ALPNProtocols: ['http/1.1'],
    });
    socket = secured;
    watch(secured);
    secured.once('connect', () => (self.phase = 'tls_proxy'));
    secured.once('secureConnect', tunnel);
  } else {
    const on = net.connect({ host: bare(proxy.host), port: proxy.port, noDelay: true });
    socket = on;
    watch(on);
    on.once('connect', tunnel);
  }
  return self;
}

function ignore(): void {}
