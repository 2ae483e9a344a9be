/** The codes of a SOCKS5 reply (RFC 1928, section 6) that the gateway gives. */
export const socksReply = {
  succeeded: 0,
  generalFailure: 1,
  notAllowed: 2,
  hostUnreachable: 4,
  connectionRefused: 5,
  ttlExpired: 6,
  commandNotSupported: 7,
  addressTypeNotSupported: 8,
} as const;

/** A reply with the unspecified address as the bound one: the real one is the upstream proxy's own affair. */
export function encodeReply(code: number): Buffer {
  return Buffer.from([5, code, 0, 1, 0, 0, 0, 0, 0, 0]);
}
