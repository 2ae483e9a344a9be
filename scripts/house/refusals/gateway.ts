import { createGateway, type GatewayOptions } from '@whirl/gateway';
import { ProxyRotator } from '@whirl/rotator';
import {
  anything,
  array,
  flag,
  number,
  refusing,
  text,
  words,
  least0,
  count,
  port,
  at,
} from './refusing.ts';

const rotator = new ProxyRotator();

/** What the options of the package refuse. */
export const gateway = [
  refusing<GatewayOptions>(
    at('GatewayOptions', '', (options) => createGateway(rotator, options)),
    {
      host: text(''),
      port,
      auth: array,
      allow: array,
      deny: array,
      denyPrivate: flag,
      ownAddresses: array,
      replay: words(),
      firstByteMs: number(0, NaN),
      quietMs: number(0, NaN),
      headTimeoutMs: number(0, NaN),
      maxConnections: count,
      maxPerClient: count,
      maxWrongPasswords: count,
      idleMs: number(0, NaN),
      halfClosedMs: number(0, NaN),
      sessionIdleMs: number(0, NaN),
      retryPolicy: anything,
      via: flag,
    },
  ),
  refusing<{ graceMs: number }>(
    at('Gateway.close()', '', (options) => createGateway(rotator).close(options)),
    { graceMs: least0 },
  ),
];
