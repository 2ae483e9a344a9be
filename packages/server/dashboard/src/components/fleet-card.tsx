import { formatNumber, formatTime } from '../format.ts';
import { time } from '../live-event.ts';
import { fleet } from '../overview.ts';
import type { WireFleet } from '../wire.ts';
import { Icon, type IconName } from './icons.tsx';

type State = WireFleet['processes'][number]['state'] | 'degraded' | 'joining';

const looks: Readonly<Record<State, readonly [tone: string, icon: IconName, what: string]>> = {
  joined: ['closed', 'check', ''],
  suspect: ['half_open', 'question', 'Most proxies fail for it, so it reports none of them.'],
  silent: ['open', 'cross', 'It has not been heard of: it is dead, or cannot reach Redis.'],
  degraded: ['open', 'warning', 'Redis does not respond: it decides alone until it does.'],
  joining: ['half_open', 'dots', ''],
};
const order: readonly State[] = ['silent', 'suspect', 'joined'];

/** The servers that share this pool, those in trouble first. */
export function FleetCard() {
  const known = fleet.value;
  if (known === null) return null;
  const others = known.processes
    .filter(({ process }) => process !== known.process)
    .toSorted((a, b) => order.indexOf(a.state) - order.indexOf(b.state));
  return (
    <section class="card targets" aria-labelledby="fleet-title" data-fleet={known.state}>
      <header>
        <h2 id="fleet-title">Fleet</h2>
        <span class="muted">
          {formatNumber(others.length + 1, 'process', 'processes')} of pool {known.pool}
        </span>
      </header>
      <ul tabIndex={0} aria-label="Processes of the fleet, those in trouble first">
        <Process state={known.state} name={known.process} remark="this one" />
        {others.map(({ process, state, silent_since: since }) => (
          <Process
            key={process}
            state={state}
            name={process}
            remark={since === null ? '' : `since ${formatTime(time(since) ?? 0)}`}
          />
        ))}
      </ul>
    </section>
  );
}

interface ProcessProps {
  readonly state: State;
  readonly name: string;
  readonly remark: string;
}

function Process({ state, name, remark }: ProcessProps) {
  const [tone, icon, what] = looks[state];
  return (
    <li data-process={name}>
      <span class={`chip circuit ${tone}`}>
        <Icon name={icon} />
        {state}
      </span>
      <b>{name}</b>
      <span class="muted">{[remark, what].filter(Boolean).join('. ')}</span>
    </li>
  );
}
