import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { pid } from 'node:process';
import { joinFleet, type Fleet } from '@whirl/fleet';
import { fromIoredis, redisStore } from '@whirl/fleet/redis';
import type { ProxyRotator } from '@whirl/rotator';
import type { Logger } from 'pino';

export interface FleetSettings {
  readonly rotator: ProxyRotator;
  /** May hold a password: it is shown nowhere. */
  readonly url: string;
  readonly pool: string;
  readonly logger: Logger;
}

/** This server's place in a fleet. */
export interface JoinedFleet {
  readonly pool: string;
  /** The id of this process in it. */
  readonly process: string;
  readonly fleet: Pick<Fleet, 'state' | 'processes' | 'reports' | 'metrics'>;
}

/** Joins the servers of the same pool. Resolves at once: the server starts also without Redis. */
export async function startFleet(
  settings: FleetSettings,
): Promise<JoinedFleet & { close(): Promise<void> }> {
  const { rotator, url, pool, logger } = settings;
  // Loaded only where it is used: a server alone needs no client.
  const { Redis } = await import('ioredis');
  const client = new Redis(url, { maxRetriesPerRequest: null, connectTimeout: 1000 });
  // Its errors are told by `fleet:degraded`; a client without a listener would write them out, address and all.
  client.on('error', () => {});
  const { bus } = rotator;
  const offs = [
    bus.on('fleet:joined', ({ process, live }) => {
      logger.info({ pool, process, live }, 'fleet: joined');
    }),
    bus.on('fleet:peers', ({ live }) => logger.info({ pool, live }, 'fleet: processes')),
    bus.on('fleet:degraded', ({ reason }) => {
      logger.warn({ pool, reason }, 'fleet: Redis does not respond; this server decides alone');
    }),
    bus.on('fleet:recovered', ({ forMs }) => logger.info({ pool, forMs }, 'fleet: recovered')),
    bus.on('fleet:suspect', ({ failing, tried }) => {
      logger.warn({ pool, failing, tried }, 'fleet: most proxies fail here; nothing is reported');
    }),
    bus.on('fleet:cleared', () => logger.info({ pool }, 'fleet: proxies work here again')),
    bus.on('fleet:incompatible', ({ version }) => {
      logger.warn({ pool, version }, 'fleet: others use another version of the protocol');
    }),
  ];
  const process = `${hostname()}-${pid}-${randomBytes(3).toString('hex')}`;
  const store = redisStore(fromIoredis(client));
  const fleet = joinFleet({ rotator, pool, store, processId: process });
  return {
    pool,
    process,
    fleet,
    async close() {
      await fleet.close();
      for (const off of offs) off();
      client.disconnect();
    },
  };
}
