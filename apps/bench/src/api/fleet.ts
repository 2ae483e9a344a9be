// A process of its own: a target and real proxies in front of it, some of them flaky.
import { startProxy, startTarget, type Behaviour } from '@whirl/testkit';

export interface FleetAddresses {
  readonly target: string;
  readonly good: readonly string[];
  readonly flaky: readonly string[];
}

const good: Behaviour = { kind: 'ok', latencyMs: 10 };
const flaky: readonly Behaviour[] = [
  { kind: 'mix', latencyMs: 20, parts: [{ ratio: 0.2, behaviour: { kind: 'reset' } }] },
  { kind: 'mix', parts: [{ ratio: 0.3, behaviour: { kind: 'status', statusCode: 503 } }] },
  { kind: 'mix', parts: [{ ratio: 0.1, behaviour: { kind: 'garbage' } }] },
  { kind: 'refuse' },
];

const target = await startTarget();
const start = (behaviour: Behaviour) => startProxy({ behaviour });
const addresses: FleetAddresses = {
  target: target.url,
  good: (await Promise.all([good, good, good, good].map(start))).map(({ url }) => url),
  flaky: (await Promise.all(flaky.map(start))).map(({ url }) => url),
};
process.on('disconnect', () => process.exit());
process.send?.(addresses);
