import {
  AttemptTimeoutError,
  InvalidRequestError,
  RequestTimeoutError,
  TargetConnectionError,
} from '@whirl/rotator';
import { exitCodes } from '../exit-codes.ts';

/** curl's exit codes, as far as they have a meaning here. */
export const getCodes = {
  /** No proxy led to a response. */
  connect: 7,
  /** The body ended before its end. */
  partial: 18,
  /** `--fail`, and a status of 400 or more. */
  status: 22,
  /** The output could not be written. */
  write: 23,
  /** A file to be sent could not be read. */
  read: 26,
  timeout: 28,
  /** TLS with the target. */
  tls: 35,
} as const;

/** The exit code of an error that ended a request. */
export function exitCodeOf(error: unknown): number {
  for (let each = error; each instanceof Error; each = each.cause) {
    if (each instanceof InvalidRequestError) return exitCodes.usage;
    if (each instanceof RequestTimeoutError || each instanceof AttemptTimeoutError) {
      return getCodes.timeout;
    }
    if (each instanceof TargetConnectionError) return getCodes.tls;
  }
  return getCodes.connect;
}
