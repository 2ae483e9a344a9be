import { formatLatency, formatSpan, formatTime, formatWord } from '../format.ts';
import { isFailed, type FeedFilter, type LiveAttempt, type LiveRequest } from '../live-requests.ts';
import { selectedProxy } from '../dialogs.ts';
import { clock, feedFilter, feedPaused, feedRequests, stream } from '../store.ts';
import { ProxyName } from './proxy-name.tsx';
import { Icon, Unseen, type IconName } from './icons.tsx';

const filters: readonly (readonly [FeedFilter, string])[] = [
  ['all', 'All'],
  ['retried', 'Retried'],
  ['failed', 'Failed'],
];

/** Requests as they happen, each with the way it took. */
export function LiveFeed() {
  const shown = feedRequests.value;
  const paused = feedPaused.value;
  return (
    <section class="card feed" aria-labelledby="feed-title">
      <header>
        <h2 id="feed-title">Live requests</h2>
        <div class="segments" role="group" aria-label="Which requests">
          {filters.map(([name, label]) => (
            <button
              key={name}
              type="button"
              aria-pressed={feedFilter.value === name}
              onClick={() => (feedFilter.value = name)}
            >
              {label}
            </button>
          ))}
        </div>
        <button
          type="button"
          class="quiet square"
          aria-pressed={paused}
          aria-label={paused ? 'Resume the feed' : 'Pause the feed'}
          title={paused ? 'Resume' : 'Pause'}
          onClick={() => (feedPaused.value = !paused)}
        >
          <Icon name={paused ? 'play' : 'pause'} />
        </button>
      </header>
      {shown.length === 0 ? (
        <p class="empty-line muted">{emptyText()}</p>
      ) : (
        <ol class="requests" tabIndex={0} aria-label="Requests, newest first">
          {shown.map((request) => (
            <Request key={request.id} request={request} />
          ))}
        </ol>
      )}
    </section>
  );
}

function emptyText(): string {
  if (stream.value === 'unsupported') return 'This server has no event stream.';
  if (feedFilter.value === 'failed') return 'No failed request since this page was opened.';
  if (feedFilter.value === 'retried') return 'No retried request since this page was opened.';
  return 'Waiting for the next request.';
}

const resultIcons: Readonly<Record<string, IconName>> = {
  success: 'check',
  running: 'dots',
  unknown: 'question',
};

function Request({ request }: { readonly request: LiveRequest }) {
  const { attempts, outcome, duration, retryAt } = request;
  const tone = isFailed(request) ? 'failure' : outcome;
  return (
    <li class={`request ${tone}`}>
      <div class="line">
        <Icon name={resultIcons[outcome] ?? 'cross'} />
        <span class="what">
          <b>{request.method}</b> {request.origin.replace(/^https?:\/\//, '')}
        </span>
        <span class="result">{resultText(request)}</span>
        <time class="muted" dateTime={new Date(request.startedAt).toISOString()}>
          {formatTime(request.startedAt)}
        </time>
      </div>
      <div class="way">
        {attempts.map((each, i) => (
          <Attempt key={`${each.attempt}${each.hedge}${each.proxyId}`} one={each} first={i === 0} />
        ))}
        {retryAt !== undefined && <RetryWait at={retryAt} />}
        <Why request={request} />
        {attempts.length === 0 && duration !== undefined && (
          <span class="muted note">no attempt was made</span>
        )}
      </div>
    </li>
  );
}

function resultText({ outcome, statusCode, duration }: LiveRequest): string {
  if (outcome === 'running') return 'running';
  if (outcome === 'unknown') return 'end not seen';
  const what = statusCode ?? (outcome === 'failure' ? 'failed' : formatWord(outcome));
  return `${what} · ${formatLatency(duration)}`;
}

/** Why a request failed, and why it was not tried again. */
function Why({ request }: { readonly request: LiveRequest }) {
  if (!isFailed(request)) return null;
  const { errorCode, refusedReason } = request;
  const reasons = [
    errorCode === undefined ? '' : formatWord(errorCode.toLowerCase()),
    refusedReason === undefined ? '' : `no retry: ${formatWord(refusedReason)}`,
  ].filter(Boolean);
  return reasons.length === 0 ? null : <span class="muted note">{reasons.join(' · ')}</span>;
}

function Attempt({ one, first }: { readonly one: LiveAttempt; readonly first: boolean }) {
  const { proxyId, outcome, hedge, latency, delayBefore } = one;
  const tone = ['success', 'running', 'unknown'].includes(outcome) ? outcome : 'failure';
  const wait = delayBefore > 0 ? formatLatency(delayBefore) : '';
  return (
    <>
      {!first && (
        <span class="hop muted">
          {hedge ? (
            '∥'
          ) : (
            <>
              <Icon name="arrow" />
              <Unseen>then </Unseen>
            </>
          )}
          {wait !== '' && <span title="Waited before this attempt">{wait}</span>}
        </span>
      )}
      <button
        type="button"
        class={`chip attempt ${tone}`}
        title={`${one.attempt + 1}. attempt through ${proxyId}`}
        onClick={() => (selectedProxy.value = proxyId)}
      >
        <Icon name={resultIcons[outcome] ?? 'cross'} />
        <span class="proxy">
          <ProxyName id={proxyId} />
        </span>
        <span class="remark">
          {hedge && 'hedge '}
          {attemptText(one)}
          {latency !== undefined && ` ${formatLatency(latency)}`}
        </span>
      </button>
    </>
  );
}

/** A status, or where it failed and how. */
function attemptText({ outcome, statusCode, phase }: LiveAttempt): string {
  if (outcome === 'running') return '…';
  if (outcome === 'unknown') return '?';
  if (statusCode !== undefined) return String(statusCode);
  if (outcome === 'success') return 'ok';
  if (outcome === 'failure') return formatWord(phase) || 'failed';
  return formatWord(outcome);
}

function RetryWait({ at }: { readonly at: number }) {
  const left = at - clock.value;
  return (
    <span class="muted note">
      <Icon name="clock" /> {left > 0 ? `retry in ${formatSpan(left)}` : 'retry due'}
    </span>
  );
}
