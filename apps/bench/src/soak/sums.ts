import { gatewayPolicy, sumOf, type OutcomeCounts } from './ledger.ts';
import type { Report } from './member.ts';
import { keptName, kinds, leftName, unsentName } from './traffic.ts';
import { ascending, equal, inWords, verdict, type Verdict } from './verdict.ts';

const none: OutcomeCounts = { success: 0, failure: 0, timeout: 0, aborted: 0, circuit_open: 0 };

/**
 * What must hold in one process whenever it rests: what its clients counted, what the events told, what the metrics hold
 * and what the gateway counted are the same.
 */
export function sumsOf(member: string, report: Report): Verdict[] {
  const of = (what: string) => `${member}: ${what}`;
  return [
    ...kinds.flatMap(({ name, settles }) => sumsOfKind(of(name), name, settles, report)),
    ...requestsOf(of, report),
    ...attemptsOf(of, report),
    ...gatewayOf(of, report),
    unchanged(of('content that came back differently'), report),
    atRest(of('in flight at rest'), report),
  ];
}

/** Where nothing is left by its client, client and events know of each request how it ended. */
function sumsOfKind(
  what: string,
  kind: string,
  settles: boolean,
  { clients, events }: Report,
): Verdict[] {
  const issuedOf = (name: string) => clients[name]?.issued ?? 0;
  const seenOf = (name: string) => events.byPolicy[name] ?? none;
  const left = leftName(kind);
  return [
    equal(`${what}: issued = request:end`, issuedOf(kind), sumOf(seenOf(kind))),
    equal(`${what}, left: issued = request:end`, issuedOf(left), sumOf(seenOf(left))),
    ...(settles
      ? [
          equal(
            `${what}: succeeded, for client and events`,
            clients[kind]?.succeeded ?? 0,
            seenOf(kind).success,
          ),
        ]
      : []),
  ];
}

function requestsOf(of: (what: string) => string, report: Report): Verdict[] {
  const { clients, events, metrics } = report;
  const counts = Object.values(clients);
  const issued = counts.reduce((sum, each) => sum + each.issued, 0);
  const settled = counts.reduce((sum, each) => sum + sumOf(each) - each.issued, 0);
  return [
    equal(of('clients: issued = succeeded + failed + aborted'), issued, settled),
    equal(
      of('aborted before they were made: client = events'),
      clients[unsentName]?.issued ?? 0,
      (events.byPolicy[unsentName] ?? none).aborted,
    ),
    equal(
      of('requests: begun = ended = in the metrics'),
      events.requestsBegun,
      sumOf(events.requestsEnded),
      sumOf(metrics.requests),
    ),
    equal(
      of('requests of clients, agents that keep connections, and the gateway: all there are'),
      sumOf(events.requestsEnded),
      issued -
        (clients[keptName]?.issued ?? 0) +
        endedOf(report, keptName, gatewayPolicy, 'global'),
    ),
    equal(
      of('their outcomes: events = metrics'),
      inWords(events.requestsEnded),
      inWords(metrics.requests),
    ),
  ];
}

function endedOf({ events }: Report, ...names: readonly string[]): number {
  return names.reduce((sum, name) => sum + sumOf(events.byPolicy[name] ?? none), 0);
}

function attemptsOf(of: (what: string) => string, { events, metrics }: Report): Verdict[] {
  return [
    equal(
      of('attempts: begun = ended = metrics = Σ proxies = Σ requests'),
      events.attemptsBegun,
      sumOf(events.attemptsEnded),
      sumOf(metrics.attempts),
      sumOf(metrics.byProxy),
      events.attemptsOfRequests,
    ),
    equal(
      of('attempts, their outcomes: events = metrics'),
      inWords(events.attemptsEnded),
      inWords(metrics.attempts),
    ),
    equal(
      of('attempts of each proxy: events = metrics'),
      inWords(events.attemptsByProxy),
      inWords(metrics.byProxy),
    ),
  ];
}

/** Clients leave, and tunnels break, with bytes under way. */
function gatewayOf(
  of: (what: string) => string,
  { events, gateway, gatewayBytes, gatewayClients }: Report,
): Verdict[] {
  const { closed, left, opened, failed, bytesUp, bytesDown } = events.gateway;
  const visits = sumOf({ ...gatewayClients });
  const unseen = visits - (opened + left + failed) - gateway.requests;
  return [
    equal(of('gateway: tunnels opened = closed'), opened, closed),
    equal(of('gateway: tunnels failed, by events = by its count'), failed, gateway.failed),
    ascending(of('gateway: tunnels granted ≤ opened ≤ granted or left'), [
      gateway.tunnels,
      opened,
      gateway.tunnels + gatewayClients.left,
    ]),
    ascending(of('gateway: visits without a request ≤ left by their clients'), [
      0,
      unseen,
      gatewayClients.left,
    ]),
    ascending(of('gateway: bytes to proxies ≤ from clients ≤ sent by them'), [
      bytesUp,
      gateway.bytesUp,
      gatewayBytes.sent,
    ]),
    ascending(of('gateway: bytes received by clients ≤ sent to them ≤ from proxies'), [
      gatewayBytes.received,
      gateway.bytesDown,
      bytesDown,
    ]),
  ];
}

function unchanged(what: string, { clients, gatewayClients }: Report): Verdict {
  const wrong = Object.entries(clients).map(([kind, each]) => [kind, each.wrong] as const);
  const words = inWords(Object.fromEntries([...wrong, ['gateway', gatewayClients.wrong]]));
  return verdict(what, words || 'none', words === '');
}

/** What should have ended, with its name if it has one. */
function atRest(what: string, { inFlight, load, metrics, gateway }: Report): Verdict {
  const words = inWords({
    requests: inFlight.length,
    'load of proxies': load,
    metrics: metrics.inFlight,
    connections: gateway.connections,
    tunnels: gateway.openTunnels,
  });
  const requests = inFlight.map((each) => JSON.stringify(each)).join(' ');
  return verdict(what, words === '' ? 'none' : `${words} ${requests}`, words === '');
}
