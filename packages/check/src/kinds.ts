/** What a value must be. */
export interface Kind {
  /** As it stands after "must be". */
  readonly wanted: string;
  /** Whether the type is right: a wrong one is a TypeError. */
  isType(value: unknown): boolean;
  /** Whether a value of that type is within its bounds: one that is not is a RangeError. Default: every one is. */
  isWithin?(value: never): boolean;
  /** A string of this kind is a secret, or holds one: of a wrong one no message shows more than that it is a string. */
  readonly isSecret?: boolean;
}

const isNumber = (value: unknown): value is number => typeof value === 'number';
const isString = (value: unknown): value is string => typeof value === 'string';

function bounds(min: number, max: number): string {
  if (max === Infinity) return min === -Infinity ? '' : ` ≥ ${min}`;
  return ` from ${min} to ${max}`;
}

/** A finite number, both bounds included. */
export function number(min = -Infinity, max = Infinity): Kind {
  return {
    wanted: `a${Number.isFinite(max) || min > -Infinity ? '' : ' finite'} number${bounds(min, max)}`,
    isType: isNumber,
    isWithin: (value: number) => Number.isFinite(value) && value >= min && value <= max,
  };
}

/** A finite number above a bound, which is not included. */
export function above(min: number): Kind {
  return {
    wanted: `a number > ${min}`,
    isType: isNumber,
    isWithin: (value: number) => Number.isFinite(value) && value > min,
  };
}

/** A whole number that is exact, both bounds included. */
export function integer(min: number, max = Infinity): Kind {
  return {
    wanted: `an integer${bounds(min, max)}`,
    isType: isNumber,
    isWithin: (value: number) => Number.isSafeInteger(value) && value >= min && value <= max,
  };
}

/** One of these strings. */
export function oneOf(...values: readonly string[]): Kind {
  const quoted = values.map((value) => JSON.stringify(value));
  const last = quoted.pop();
  return {
    wanted: quoted.length > 0 ? `${quoted.join(', ')} or ${last}` : `${last}`,
    isType: isString,
    isWithin: (value: string) => values.includes(value),
  };
}

/** A string that passes a test. `wanted` says what it is, as "a string of 1 to 100 characters". */
export function matching(wanted: string, test: (value: string) => boolean): Kind {
  return { wanted, isType: isString, isWithin: test };
}

/** The same, or one more value, such as `false` for what can be turned off. */
export function or(extra: false | number | null, kind: Kind): Kind {
  return {
    wanted: `${kind.wanted} or ${extra}`,
    isType: (value) => value === extra || kind.isType(value),
    isWithin: (value) => value === extra || kind.isWithin?.(value) !== false,
  };
}

/** An object with these methods; known by what is called, since two copies of a package may be about. */
export function withMethods(wanted: string, ...methods: readonly string[]): Kind {
  return {
    wanted: `${wanted} with ${methods.map((method) => `${method}()`).join(', ')}`,
    isType: (value) => {
      const object = value as Record<string, unknown> | null | undefined;
      return methods.every((method) => typeof object?.[method] === 'function');
    },
  };
}

export const boolean: Kind = {
  wanted: 'true or false',
  isType: (value) => typeof value === 'boolean',
};

/** A string of at least one character. */
export const string: Kind = {
  wanted: 'a string of at least one character',
  isType: isString,
  isWithin: (value: string) => value !== '',
};

/** A string, which may be empty. */
export const anyString: Kind = { wanted: 'a string', isType: isString };

export const func: Kind = {
  wanted: 'a function',
  isType: (value) => typeof value === 'function',
};

/** Neither null nor an array. */
export const object: Kind = {
  wanted: 'an object',
  isType: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
};

export const array: Kind = { wanted: 'an array', isType: (value) => Array.isArray(value) };

export const strings: Kind = {
  wanted: 'an array of strings',
  isType: (value) => Array.isArray(value) && value.every(isString),
};

/** What is checked elsewhere. */
export const anything: Kind = { wanted: 'anything', isType: () => true };
