import { hostOf, mostlyToBlame, verdictOn } from '../blame.ts';
import { formatCount, formatPercent } from '../format.ts';
import { targets } from '../overview.ts';
import { states } from '../store.ts';
import type { WireTarget } from '../wire.ts';
import { Icon, type IconName } from './icons.tsx';

const icons: Readonly<Record<WireTarget['state'], IconName>> = {
  up: 'check',
  unsure: 'question',
  down: 'cross',
};
const tones = { up: 'closed', unsure: 'half_open', down: 'open' } as const;
const order: readonly WireTarget['state'][] = ['down', 'unsure', 'up'];

/** The targets that were asked for, and whether they or the proxies are to blame. */
export function TargetsCard() {
  const list = targets.value ?? [];
  if (list.length === 0) return null;
  const verdict = verdictOn(list, states.value);
  const shown = list.toSorted((a, b) => order.indexOf(a.state) - order.indexOf(b.state));
  return (
    <section class="card targets" aria-labelledby="targets-title">
      <header>
        <h2 id="targets-title">Targets</h2>
      </header>
      {verdict !== undefined && (
        <p class="verdict" role="status">
          {verdict}
        </p>
      )}
      <ul tabIndex={0} aria-label="Targets, those in trouble first">
        {shown.map((target) => (
          <Target key={target.origin} target={target} />
        ))}
      </ul>
    </section>
  );
}

function Target({ target }: { readonly target: WireTarget }) {
  const { origin, state, reason, attempts, success_rate: rate } = target;
  const blamed = mostlyToBlame(target);
  return (
    <li title={reason} data-target={origin}>
      <span class={`chip circuit ${tones[state]}`}>
        <Icon name={icons[state]} />
        {state}
      </span>
      <b>{hostOf(origin)}</b>
      <span class="muted">
        {formatPercent(rate)} of {formatCount(attempts)}
        {blamed !== undefined && `; failures: ${blamed}`}
      </span>
    </li>
  );
}
