export { check, checkEach, checkNames, checkOptions } from './check.ts';
export {
  above,
  anything,
  anyString,
  array,
  boolean,
  func,
  integer,
  matching,
  number,
  object,
  oneOf,
  or,
  string,
  strings,
  withMethods,
  type Kind,
} from './kinds.ts';
export { checkBriefly, resolveBriefly, type BriefKind } from './brief.ts';
export { pathLabel, shown, shownPath } from './shown.ts';
export { nearestName, unknownOption } from './unknown-option.ts';
