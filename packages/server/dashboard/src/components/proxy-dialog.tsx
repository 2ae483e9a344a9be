import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { forceOpen, reset } from '../circuit-actions.ts';
import { closeDialog } from '../dialogs.ts';
import {
  formatCount,
  formatLatency,
  formatNumber,
  formatPercent,
  formatSpan,
  formatTime,
  formatWord,
  none,
} from '../format.ts';
import { time } from '../live-event.ts';
import { readReports } from '../overview.ts';
import type { PoolRow } from '../pool.ts';
import { readTransitions } from '../circuit-events.ts';
import { clock, removeProxy, rowOf } from '../store.ts';
import { attempt, say } from '../toasts.ts';
import type { WireCircuitEvent, WireFleetReport } from '../wire.ts';
import { CircuitChip } from './circuit-chip.tsx';
import { Dialog } from './dialog.tsx';

/** Everything about one proxy, and what can be done with it. */
export function ProxyDialog({ id }: { readonly id: string }) {
  const row = rowOf(id);
  return (
    <Dialog name="proxy" title={<span class="id">{id}</span>}>
      {row === undefined ? (
        <p class="muted">This proxy is not in the pool any more.</p>
      ) : (
        <>
          <p>
            <CircuitChip row={row} />
          </p>
          <Actions row={row} />
          <Figures row={row} />
          <Reports id={id} changedAt={row.lastChangeAt} />
          <Transitions id={id} changedAt={row.lastChangeAt} />
        </>
      )}
    </Dialog>
  );
}

function Actions({ row }: { readonly row: PoolRow }) {
  const { id, state, forced } = row;
  const sure = useSignal(false);
  const remove = () =>
    attempt(async () => {
      await removeProxy(id);
      closeDialog();
      say(`${id} was removed from the pool.`);
    });
  return (
    <div class="buttons">
      {(state !== 'closed' || forced) && (
        <button type="button" class="primary" onClick={() => reset(id)}>
          Reset the circuit
        </button>
      )}
      {!(state === 'open' && forced) && (
        <button type="button" onClick={() => forceOpen(id)}>
          Force open
        </button>
      )}
      {sure.value ? (
        <button type="button" class="danger" onClick={() => void remove()}>
          Really remove it
        </button>
      ) : (
        <button type="button" class="quiet" onClick={() => (sure.value = true)}>
          Remove from the pool
        </button>
      )}
    </div>
  );
}

function Figures({ row }: { readonly row: PoolRow }) {
  const changed = row.lastChangeAt;
  return (
    <dl class="figures">
      <Figure name="Address">{row.url}</Figure>
      <Figure name="Region">{row.region || none}</Figure>
      <Figure name="Tags">{row.tags.join(', ') || none}</Figure>
      <Figure name="Failures in the window">
        {row.failureCount} of {row.failureThreshold} within {row.windowDuration} s
        <small class="rule">
          It opens at {row.failureThreshold}, if its last {row.failureThreshold} attempts all failed
          or half of those in this time did.
        </small>
      </Figure>
      <Figure name="State since">
        {changed === null ? none : `${formatSpan(clock.value - changed)} ago`}
      </Figure>
      <Figure name="Success rate">{formatPercent(row.successRate)}</Figure>
      {row.score !== null && <Figure name="Score">{row.score.toFixed(3)}</Figure>}
      <Figure name="Latency, average">{formatLatency(row.avgLatency)}</Figure>
      <Figure name="p50, p95, p99">
        {[row.p50, row.p95, row.p99].map(formatLatency).join(', ')}
      </Figure>
      <Figure name="In flight">{formatCount(row.inFlight)}</Figure>
      <Figure name="Attempts">
        {formatCount(row.attempts)} ({formatCount(row.failures)} failed)
      </Figure>
      <Figure name="Circuit opened">{row.opens === null ? none : `${row.opens} times`}</Figure>
    </dl>
  );
}

function Figure({
  name,
  children,
}: {
  readonly name: string;
  readonly children: ComponentChildren;
}) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

interface TransitionsProps {
  readonly id: string;
  readonly changedAt: number | null;
}

function Transitions({ id, changedAt }: TransitionsProps) {
  const events = useSignal<readonly WireCircuitEvent[] | undefined>(undefined);
  useEffect(() => {
    readTransitions(id).then(
      (read) => (events.value = read),
      () => (events.value = []),
    );
  }, [id, changedAt]);
  const list = events.value;
  if (list === undefined || list.length === 0) return null;
  return (
    <>
      <h3>Latest changes of its circuit</h3>
      <ol class="transitions">
        {list.map((event) => (
          <li key={event.timestamp + event.to_state}>
            <time dateTime={event.timestamp}>{formatTime(time(event.timestamp) ?? 0)}</time>
            {formatWord(event.from_state)} → <b>{formatWord(event.to_state)}</b>
            <span class="muted">{formatCount(event.failure_count)} failures</span>
          </li>
        ))}
      </ol>
    </>
  );
}

/** What each server of the fleet says of the proxy. */
function Reports({ id, changedAt }: TransitionsProps) {
  const reports = useSignal<readonly WireFleetReport[]>([]);
  useEffect(() => {
    void readReports(id).then((read) => (reports.value = read));
  }, [id, changedAt]);
  if (reports.value.length === 0) return null;
  return (
    <>
      <h3>What the fleet says of it</h3>
      <ul class="transitions" data-reports={id}>
        {reports.value.map(({ process, failures_in_a_row: failures, open_until: until }) => (
          <li key={process}>
            <b>{process}</b>
            {failures === 0 ? 'works' : `${formatNumber(failures, 'failure', 'failures')} in a row`}
            {until !== null && <span class="muted">open until {formatTime(time(until) ?? 0)}</span>}
          </li>
        ))}
      </ul>
    </>
  );
}
