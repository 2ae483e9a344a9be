export { check, checkNames, checkNumbers, checkOptions } from './check.ts';
export {
  anything,
  anyString,
  array,
  boolean,
  func,
  integer,
  number,
  object,
  oneOf,
  string,
  strings,
  withMethods,
  type Kind,
} from './kinds.ts';
export { shown } from './shown.ts';
export { nearestName, unknownOption } from './unknown-option.ts';
