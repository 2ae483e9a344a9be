import { useSignal } from '@preact/signals';
import { formatNumber } from '../format.ts';
import { connection, removeUnhealthy } from '../store.ts';
import { attempt, say } from '../toasts.ts';

/** Removes what the server takes for unhealthy, after a second press. */
export function RemoveUnhealthy() {
  const sure = useSignal(false);
  const remove = () => {
    sure.value = false;
    void attempt(async () => {
      const removed = await removeUnhealthy();
      say(
        removed.length === 0
          ? 'No proxy is unhealthy: nothing was removed.'
          : `Removed ${formatNumber(removed.length, 'proxy', 'proxies')}: ${shorten(removed)}.`,
      );
    });
  };
  if (!sure.value) {
    return (
      <button
        type="button"
        class="quiet slim"
        disabled={connection.value === 'reconnecting'}
        title="Those with an open circuit, or with 20 outcomes or more and under 10 % success"
        onClick={() => (sure.value = true)}
      >
        Remove unhealthy
      </button>
    );
  }
  return (
    <>
      <button type="button" class="danger slim" onClick={remove}>
        Really remove all open and failing ones
      </button>
      <button type="button" class="quiet slim" onClick={() => (sure.value = false)}>
        Keep them
      </button>
    </>
  );
}

const named = 3;

function shorten(ids: readonly string[]): string {
  const more = ids.length > named ? ` and ${ids.length - named} more` : '';
  return ids.slice(0, named).join(', ') + more;
}
