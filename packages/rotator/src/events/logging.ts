import type { WhirlBus } from '@whirl/events';

/** Where log lines go, in pino's argument order. */
export interface Logger {
  debug(object: object, message: string): void;
  info(object: object, message: string): void;
  warn(object: object, message: string): void;
  error(object: object, message: string): void;
}

/** Writes what the bus says. Returns its own unsubscribe. */
export function logFacts(bus: WhirlBus, logger: Logger): () => void {
  const offs = [
    bus.on('attempt:end', (event) =>
      logger.debug(event, event.attempt === 0 ? 'Attempt' : 'Retry attempt'),
    ),
    bus.on('circuit:transition', (event) => {
      const bad = event.to === 'open' || event.to === 'forced_open';
      logger[bad ? 'warn' : 'info'](event, `circuit breaker ${event.from} to ${event.to}`);
    }),
    bus.on('request:end', (event) => {
      if (event.outcome !== 'success' && event.outcome !== 'aborted') {
        logger.warn(event, 'request failed');
      }
    }),
  ];
  return () => {
    for (const off of offs) off();
  };
}
