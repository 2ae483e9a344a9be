import { selectedProxy } from '../dialogs.ts';
import { formatNumber, formatTime, formatWord } from '../format.ts';
import { readState } from '../pool.ts';
import { transitions } from '../store.ts';
import type { Transition } from '../transitions.ts';
import { stateIcons, stateNames } from './circuit-chip.tsx';
import { Icon } from './icons.tsx';
import { ProxyName } from './proxy-name.tsx';

/** When circuits opened, were tested and closed again. */
export function CircuitHistory() {
  const list = transitions.value;
  return (
    <section class="card history" aria-labelledby="history-title">
      <header>
        <h2 id="history-title">Circuit changes</h2>
      </header>
      {list.length === 0 ? (
        <p class="empty-line muted">No circuit has changed yet.</p>
      ) : (
        <ol tabIndex={0} aria-label="Changes of circuits, newest first">
          {list.map((each) => (
            <Change key={`${each.at} ${each.proxyId} ${each.to}`} change={each} />
          ))}
        </ol>
      )}
    </section>
  );
}

function Change({ change }: { readonly change: Transition }) {
  const { proxyId, from, to, reason, failureCount, at } = change;
  const { state } = readState(to);
  const why =
    reason === 'failures' ? formatNumber(failureCount, 'failure', 'failures') : formatWord(reason);
  return (
    <li>
      <time dateTime={new Date(at).toISOString()}>{formatTime(at)}</time>
      <button
        type="button"
        class="link"
        aria-haspopup="dialog"
        onClick={() => (selectedProxy.value = proxyId)}
      >
        <ProxyName id={proxyId} />
      </button>
      <span class="change">
        <span class="muted from">{stateNames[readState(from).state]} →</span>
        <span class={`chip circuit ${state}`}>
          <Icon name={stateIcons[state]} />
          {stateNames[state]}
        </span>
      </span>
      <span class="muted reason">{why}</span>
    </li>
  );
}
