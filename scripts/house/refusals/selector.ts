import {
  consistent,
  costAware,
  geo,
  random,
  Selector,
  sticky,
  type CandidateOptions,
  type ConsistentOptions,
  type CostAwareOptions,
  type GeoOptions,
  type SelectorOptions,
  type StickyOptions,
} from '@whirl/selector';
import {
  at,
  count,
  func,
  least0,
  least1,
  number,
  ratio,
  refusing,
  text,
  withMethods,
  words,
} from './refusing.ts';

const sessions = { maxSessions: count, idleMs: least1, whenFull: words() };

/** What the options of the package refuse. */
export const selector = [
  refusing<SelectorOptions>(
    at('SelectorOptions', '', (options) => new Selector(options)),
    {
      strategy: { types: [5, null, {}], path: 'strategy(.name)?' },
      now: func,
      random: func,
      bus: withMethods,
    },
  ),
  refusing<CandidateOptions>(
    {
      ...at('CandidateOptions', 'candidate', (options) => new Selector().add(options)),
      besides: { id: 'a' },
    },
    {
      id: { ...text(''), path: 'id' },
      region: { ...text(''), path: 'region of "a"' },
      weight: { ...number(-1, 1e16), path: 'weight of "a"' },
      cost: { ...least0, path: 'cost of "a"' },
      tags: { types: [5, null, {}, 'a', [5]], path: 'tags of "a"' },
      maxConcurrent: { ...number(0, 1.5), path: 'maxConcurrent of "a"' },
    },
  ),
  refusing<GeoOptions>(
    at('GeoOptions', '', (options) => geo(random(), options)),
    { fallback: words() },
  ),
  refusing<StickyOptions>(
    at('StickyOptions', '', (options) => sticky(random(), options)),
    sessions,
  ),
  refusing<ConsistentOptions>(
    at('ConsistentOptions', '', (options) => consistent(random(), options)),
    { ...sessions, points: count },
  ),
  refusing<CostAwareOptions>(
    at('CostAwareOptions', '', (options) => costAware(random(), options)),
    { minSuccessRatio: ratio },
  ),
];
