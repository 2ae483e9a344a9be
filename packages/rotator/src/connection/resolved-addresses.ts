import type { AccessRules } from '../access-rules.ts';

interface Resolved {
  /** The addresses that may be dialled, in their order. */
  readonly left: string[];
  /** Set when none is left that could be dialled: why the first may not. */
  readonly refusal?: string | undefined;
}

/** The addresses of a name without those that the rules deny. */
export function withoutDenied(
  addresses: string[],
  rules: AccessRules | undefined,
  port: number,
): Resolved {
  if (rules === undefined) return { left: addresses };
  const left = addresses.filter((each) => rules.refusalOfAddress(each, port) === undefined);
  const [first] = addresses;
  if (left.length > 0 || first === undefined) return { left };
  return { left, refusal: rules.refusalOfAddress(first, port) };
}
