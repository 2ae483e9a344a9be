/** A string that is easily given in the wrong place, and must not be printed. */
export const secret = 'http://ann:hunter2@h.example:1';

/** What is wrong for one option. */
export interface Wrong {
  /** Values of a wrong type. */
  readonly types: readonly unknown[];
  /** Values out of its bounds. */
  readonly bounds?: readonly unknown[];
  /** Where the message speaks of something within the option. */
  readonly path?: string;
}

/** Where options are given, and what is wrong for each of them. */
export interface Refusing {
  /** The type of the options; `name()` where a function has no type of its own for them. */
  readonly name: string;
  /** The path of the object, `''` at the top. */
  readonly path: string;
  /** Hands the options over. May return a promise. */
  give(options: never): unknown;
  readonly options: Readonly<Record<string, Wrong>>;
  /** What it is given besides, so that nothing else is wrong. */
  readonly besides?: object;
  /** The class of every refusal, where it is not TypeError and RangeError. */
  readonly error?: abstract new (...args: never) => Error;
  /** Whether an unknown name passes: the object is one of the caller's own. */
  readonly open?: boolean;
}

/**
 * Declares the refusals of `Options`. Each option has to be named, so that the compiler finds the one that is not
 * covered.
 */
export function refusing<Options extends object>(
  where: Omit<Refusing, 'options' | 'give'> & { give(options: never): unknown },
  options: Readonly<Record<keyof Required<Options>, Wrong>>,
): Refusing {
  return { ...where, options };
}

/** Whatever is given is taken, or refused by the one that takes it in the end. */
export const anything: Wrong = { types: [] };

export const number = (...bounds: unknown[]): Wrong => ({
  types: [secret, '5', null, true, {}, [], () => {}],
  bounds,
});
export const flag: Wrong = { types: [secret, 'yes', 1, null, {}] };
export const func: Wrong = { types: [secret, 5, null, {}] };
export const text = (...bounds: unknown[]): Wrong => ({ types: [5, null, {}, []], bounds });
export const object: Wrong = { types: [secret, 5, true, null] };
export const words = (...bounds: unknown[]): Wrong => ({
  types: [5, null, {}],
  bounds: ['zzz', ...bounds],
});
export const array: Wrong = { types: [secret, 5, null, {}] };
/** An object that is known by its methods. */
export const withMethods: Wrong = { types: [secret, 5, null, {}] };

export const least0 = number(-1, NaN, Infinity);
export const least1 = number(0, NaN, Infinity);
export const above0 = number(0, -1, NaN, Infinity);
export const count = number(0, 1.5, NaN);
export const ratio = number(-0.1, 1.1, NaN);
export const port = number(-1, 1.5, 65_536);
/** Labels of Prometheus, attributes of OpenTelemetry. */
export const labels: Wrong = { types: [5, null, 'a', []] };

/** Where options are given, for `refusing()`. */
export const at = (name: string, path: string, give: (options: never) => unknown) => ({
  name,
  path,
  give,
});
