import { check, number } from '@whirl/check';

/** What `Date` can hold. */
const instants = number(0, 8.64e15);
/** A clock beyond the first shows this century; a number below the second is no instant of it, but a duration. */
const thisCentury = 946_684_800_000;
const noInstant = 100_000_000_000;

/** Refuses anything but an instant in epoch milliseconds; a duration is refused where the clock tells them apart. */
export function checkInstant(name: string, value: unknown, now: number): void {
  check(name, value, instants);
  if (now >= thisCentury && (value as number) < noInstant) {
    throw new RangeError(
      `${name} must be an instant in epoch milliseconds, got ${String(value)}, which looks like a duration`,
    );
  }
}
