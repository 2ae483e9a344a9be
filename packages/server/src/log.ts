import { pino, type DestinationStream, type Logger } from 'pino';
import { check } from '@whirl/check';
import { logLevel, type LogLevel } from './config/kinds.ts';

interface Shown {
  readonly type: string;
  readonly code?: unknown;
  readonly message: string;
  readonly stack: string | undefined;
}

/** An error without its own fields: one of them may hold the address of a proxy, with its password. */
function errorToLog(error: unknown): Shown | string {
  if (!(error instanceof Error)) return typeof error;
  const { code } = error as { code?: unknown };
  return {
    type: error.name,
    ...(code === undefined ? {} : { code }),
    message: error.message,
    stack: error.stack,
  };
}

/** A logger that writes JSON lines. An unknown level is refused with a RangeError. */
export function createLogger(level: LogLevel, destination: DestinationStream): Logger {
  check('level', level, logLevel);
  return pino({ level, base: null, serializers: { err: errorToLog } }, destination);
}
