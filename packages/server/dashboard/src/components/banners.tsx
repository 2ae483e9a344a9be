import { formatCount, formatNumber, formatSpan } from '../format.ts';
import { openDialog } from '../dialogs.ts';
import { filter, poolSize } from '../finding.ts';
import { curlCommand } from '../gateway.ts';
import { answered, clock, connection, rows, serverError, states } from '../store.ts';
import { status } from '../overview.ts';
import type { PoolRow } from '../pool.ts';
import { maxRows } from '../pool-reader.ts';
import { Command } from './command.tsx';
import { Icon } from './icons.tsx';

/** What an operator must not overlook. */
export function Banners() {
  return (
    <>
      {connection.value === 'reconnecting' && (
        <p class="banner waiting" role="status" data-banner="reconnecting">
          <Icon name="clock" />
          <span>
            {serverError.value !== ''
              ? `The server reports a fault: ${serverError.value}.`
              : answered.value === false
                ? 'The server does not answer.'
                : 'The live stream is interrupted.'}{' '}
            The page shows what it knew last, and tries again by itself.
          </span>
        </p>
      )}
      <Demo />
      <FirstRows />
      <OpenCircuits />
    </>
  );
}

function Demo() {
  if (status.value?.mode !== 'demo') return null;
  return (
    <div class="banner note" data-banner="demo">
      <span>
        <b>This is a demo.</b> Its proxies fail on purpose, and reach nothing but the demo’s own
        target. For your own, start the server with <code>WHIRL_PROXIES</code> or{' '}
        <code>WHIRL_PROXIES_FILE</code>.
      </span>
      <Through />
      <button type="button" onClick={() => openDialog('send')}>
        Send a request
      </button>
    </div>
  );
}

/** How to send something through the demo by hand. */
function Through() {
  const { gateway, demo_target: target } = status.value ?? {};
  if (!gateway || !target) return null;
  return <Command text={curlCommand(gateway, location.hostname, target)} />;
}

function FirstRows() {
  if (poolSize.value <= maxRows) return null;
  return (
    <p class="banner note" role="status" data-banner="first-rows">
      <span>
        The pool has {formatCount(poolSize.value)} proxies. This page counts the first{' '}
        {formatCount(rows.value?.length)} of them, by id; a search, a filter and an order look at
        all.
      </span>
    </p>
  );
}

function OpenCircuits() {
  const all = rows.value;
  const { open } = states.value;
  if (all === undefined || open * 2 <= all.length) return null;
  const left = all.length - open;
  const text =
    left === 0
      ? `All circuits are open (${formatCount(open)} of ${formatCount(all.length)}): requests are refused.`
      : `${formatCount(open)} of ${formatCount(all.length)} circuits are open: all traffic goes through ${formatNumber(left, 'proxy', 'proxies')}.`;
  return (
    <div class="banner trouble" role="alert" data-banner="open-circuits">
      <Icon name="warning" />
      <span>{text}</span>
      <NextTest all={all} />
      <button
        type="button"
        onClick={() => {
          filter.value = { text: '', state: 'open' };
          document.getElementById('pool')?.scrollIntoView({ block: 'start' });
        }}
      >
        Show them
      </button>
    </div>
  );
}

function NextTest({ all }: { readonly all: readonly PoolRow[] }) {
  let next = Infinity;
  for (const { nextTestAt } of all) {
    if (nextTestAt !== null && nextTestAt < next) next = nextTestAt;
  }
  if (next === Infinity) return <span>None is due for a test: reset one by hand.</span>;
  const left = next - clock.value;
  return (
    <span class="muted" aria-live="off">
      {left <= 0
        ? 'The next test is due with the next request.'
        : `Next test in ${formatSpan(left)}.`}
    </span>
  );
}
