import { isIPv6 } from 'node:net';
import { Refusal } from './refusal.ts';

/** Where a request wants to go. */
export interface Authority {
  /** A name in lower case, or an address; IPv6 without brackets. */
  readonly host: string;
  /** 1 to 65535. */
  readonly port: number;
}

const form = /^(?:\[([0-9a-fA-F:.]{2,45})\]|([^[\]:]*))(?::(.*))?$/;
const portForm = /^[1-9]\d{0,4}$/;
/** Letters, digits, `-` and `_`, in labels; the dot of an absolute name may stand at the end. */
const nameForm = /^(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}\.?$/;

/**
 * Reads `host:port` or `[v6]:port`, and nothing else. `defaultPort`: what holds where there is none;
 * without it the port must be there. Throws a `Refusal`.
 */
export function parseAuthority(text: string, defaultPort?: number): Authority {
  const expected = 'the target must be host:port or [IPv6]:port';
  if (text.includes('@')) throw new Refusal(400, `${expected}, without credentials`);
  if (/[/?#]/.test(text)) throw new Refusal(400, `${expected}, without a path`);
  if (!text.startsWith('[') && text.indexOf(':') !== text.lastIndexOf(':')) {
    throw new Refusal(400, `${expected}: an IPv6 address stands in brackets`);
  }
  const parts = form.exec(text);
  if (parts === null) throw new Refusal(400, expected);
  const [, ipv6, name = '', port] = parts;
  if (port === undefined && defaultPort === undefined) {
    throw new Refusal(400, `${expected}: the port is missing`);
  }
  return {
    host: ipv6 === undefined ? readName(name) : readIpv6(ipv6),
    port:
      port === undefined || (port === '' && defaultPort !== undefined)
        ? (defaultPort as number)
        : readPort(port),
  };
}

/** A name as it goes upstream. Throws a `Refusal` for one that no resolver takes. */
export function readName(text: string): string {
  const name = text.toLowerCase();
  if (name.length > 253 || !nameForm.test(name)) {
    throw new Refusal(
      400,
      'the host must be a name of letters, digits, dots, "-" and "_" (others as xn--…), or an address',
    );
  }
  return name;
}

function readIpv6(text: string): string {
  if (!isIPv6(text)) throw new Refusal(400, 'the brackets must hold an IPv6 address');
  return text.toLowerCase();
}

function readPort(text: string): number {
  const port = Number(text);
  if (!portForm.test(text) || port > 65_535) {
    throw new Refusal(400, 'the port must be a number from 1 to 65535');
  }
  return port;
}
