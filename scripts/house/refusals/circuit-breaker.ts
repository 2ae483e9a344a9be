import {
  CircuitBreaker,
  CircuitBreakerGroup,
  failureCount,
  failureRate,
  slowCallRate,
  type AdoptOptions,
  type CircuitBreakerGroupOptions,
  type CircuitBreakerOptions,
  type ExecuteOptions,
  type FailureCountOptions,
  type FailureRateOptions,
  type ResetOptions,
  type SlowCallRateOptions,
  type TripOptions,
} from '@whirl/circuit-breaker';
import {
  at,
  count,
  func,
  least0,
  least1,
  number,
  object,
  ratio,
  refusing,
  text,
  withMethods,
} from './refusing.ts';

const breaker = new CircuitBreaker();

const breakerOptions = {
  name: text(),
  failureThreshold: count,
  windowMs: least1,
  openMs: least1,
  halfOpenPermits: count,
  successThreshold: count,
  probeLeaseMs: least1,
  maxOpenMs: least1,
  openMultiplier: least1,
  openJitter: ratio,
  trip: { ...withMethods, path: '(trip|trip.create)' },
  now: func,
  random: func,
  bus: { ...withMethods, path: '(bus|bus.has)' },
};
const { name: _name, ...groupedOptions } = breakerOptions;
const rates = { ratio: number(0, 1.1), windowMs: least1, windowSize: count, minimumCalls: count };

/** What the options of the package refuse. */
export const circuitBreaker = [
  refusing<CircuitBreakerOptions>(
    at('CircuitBreakerOptions', '', (options) => new CircuitBreaker(options)),
    breakerOptions,
  ),
  refusing<CircuitBreakerGroupOptions>(
    at('CircuitBreakerGroupOptions', '', (options) => new CircuitBreakerGroup(options)),
    { ...groupedOptions, maxBreakers: count },
  ),
  refusing<FailureCountOptions>(
    at('FailureCountOptions', '', (options) => failureCount(options)),
    { threshold: count, windowMs: least1 },
  ),
  refusing<FailureRateOptions>(
    {
      ...at('FailureRateOptions', '', (options) => failureRate(options)),
      besides: { ratio: 0.5 },
    },
    rates,
  ),
  refusing<SlowCallRateOptions>(
    {
      ...at('SlowCallRateOptions', '', (options) => slowCallRate(options)),
      besides: { ratio: 0.5, slowMs: 1 },
    },
    { ...rates, slowMs: least0 },
  ),
  refusing<ExecuteOptions>(
    at('ExecuteOptions', '', (options) => breaker.execute(() => 1, options)),
    { signal: object, timeoutMs: number(0, 2 ** 31), isFailure: func, isResultFailure: func },
  ),
  refusing<ResetOptions>(
    at('ResetOptions', '', (options) => breaker.reset(options)),
    { reason: text() },
  ),
  refusing<TripOptions>(
    at('TripOptions', '', (options) => breaker.trip(options)),
    { reason: text(), openMs: least1 },
  ),
  refusing<AdoptOptions>(
    at('AdoptOptions', '', (options) => breaker.adopt('open', options)),
    { openMs: least1 },
  ),
];
