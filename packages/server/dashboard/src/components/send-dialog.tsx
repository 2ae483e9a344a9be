import { useSignal } from '@preact/signals';
import type { ApiError } from '../api-client.ts';
import { formatLatency, formatWord } from '../format.ts';
import { status } from '../overview.ts';
import { sendRequest } from '../calls.ts';
import { rows } from '../store.ts';
import type { WireAttempt } from '../wire.ts';
import { Dialog } from './dialog.tsx';
import { Icon } from './icons.tsx';
import { ProxyName } from './proxy-name.tsx';

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
const shownLength = 2000;

interface Result {
  readonly good: boolean;
  readonly title: string;
  readonly attempts: readonly WireAttempt[];
  readonly body: string;
}

/** Sends a request through the pool, and shows the attempts that it took. */
export function SendDialog() {
  const texts = useSignal<Record<string, string>>({ url: status.value?.demo_target ?? '' });
  const busy = useSignal(false);
  const result = useSignal<Result | undefined>(undefined);
  const text = (name: string) => texts.value[name]?.trim() ?? '';
  const send = async () => {
    busy.value = true;
    result.value = undefined;
    const region = text('region');
    const session = text('session');
    try {
      const { status_code, body, body_encoding, attempts } = await sendRequest({
        method: text('method') || 'GET',
        url: text('url'),
        ...(region !== '' && { region }),
        ...(session !== '' && { session_id: session }),
      });
      const shown = body_encoding === 'utf8' ? body : `${body.length} characters of base64`;
      result.value = {
        good: status_code < 400,
        title: `The target answered ${status_code}.`,
        attempts,
        body: shown.slice(0, shownLength),
      };
    } catch (error) {
      const { message, details } = error as ApiError;
      const attempts = (details['attempts'] ?? []) as WireAttempt[];
      result.value = { good: false, title: message, attempts, body: '' };
    } finally {
      busy.value = false;
    }
  };
  const box = (name: string, label: string, example: string, list?: string) => (
    <div class="field">
      <label for={`send-${name}`}>{label}</label>
      <input
        id={`send-${name}`}
        type="text"
        autocomplete="off"
        spellcheck={false}
        placeholder={example}
        list={list}
        value={texts.value[name] ?? ''}
        onInput={(event) => (texts.value = { ...texts.value, [name]: event.currentTarget.value })}
      />
    </div>
  );
  return (
    <Dialog name="send" title="Send a request">
      <form
        class="send"
        onSubmit={(event) => {
          event.preventDefault();
          if (!busy.value && text('url') !== '') void send();
        }}
      >
        <div class="field">
          <label for="send-method">Method</label>
          <select
            id="send-method"
            value={texts.value['method'] ?? 'GET'}
            onChange={(event) =>
              (texts.value = { ...texts.value, method: event.currentTarget.value })
            }
          >
            {methods.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        </div>
        {box('url', 'URL', 'https://api.example.com/')}
        {box('region', 'Region (optional)', 'any', 'send-regions')}
        {box('session', 'Session (optional)', 'requests of one session keep their proxy')}
        <datalist id="send-regions">
          {[...new Set((rows.value ?? []).map(({ region }) => region))].slice(0, 50).map((each) => (
            <option key={each} value={each} />
          ))}
        </datalist>
        <button type="submit" class="primary" disabled={busy.value || text('url') === ''}>
          {busy.value ? 'Sending…' : 'Send'}
        </button>
      </form>
      <div role="status">{result.value !== undefined && <Outcome result={result.value} />}</div>
    </Dialog>
  );
}

function Outcome({ result: { good, title, attempts, body } }: { readonly result: Result }) {
  return (
    <section class="outcome" data-good={good}>
      <h3>{title}</h3>
      {attempts.length > 0 && (
        <ol class="chain" aria-label="Attempts">
          {attempts.map((one) => (
            <li key={one.attempt}>
              <Wait seconds={one.delay_before} />
              <span class={`chip attempt ${one.outcome === 'success' ? 'success' : 'failure'}`}>
                <Icon name={one.outcome === 'success' ? 'check' : 'cross'} />
                <span class="proxy">
                  <ProxyName id={one.proxy_id} />
                </span>
                <span class="remark">
                  {one.status_code ?? formatWord(one.error ?? one.outcome)}{' '}
                  {formatLatency(one.latency)}
                </span>
              </span>
            </li>
          ))}
        </ol>
      )}
      {body !== '' && (
        <pre tabIndex={0} aria-label="Body">
          {body}
        </pre>
      )}
    </section>
  );
}

function Wait({ seconds }: { readonly seconds: number }) {
  if (seconds === 0) return null;
  return <p class="muted">after {formatLatency(seconds)}</p>;
}
