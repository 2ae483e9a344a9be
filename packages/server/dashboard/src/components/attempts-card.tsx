import { formatAttempt, formatCount, formatPercent, formatWord } from '../format.ts';
import { summary } from '../store.ts';

/** Which attempt brought the success, and why attempts failed. */
export function AttemptsCard() {
  const totals = summary.value;
  const byAttempt = Object.entries(totals?.success_by_attempt ?? {})
    .map(([attempt, count]) => ({ name: formatAttempt(Number(attempt)), count }))
    .filter(({ count }) => count > 0);
  const byReason = Object.entries(totals?.failure_by_reason ?? {})
    .map(([reason, count]) => ({ name: formatWord(reason), count }))
    .filter(({ count }) => count > 0)
    .toSorted((a, b) => b.count - a.count)
    .slice(0, 5);
  const retention = totals?.retention_hours ?? 24;
  return (
    <section class="card attempts" aria-labelledby="attempts-title">
      <header>
        <h2 id="attempts-title">Success by attempt</h2>
        <span class="muted">{retention} h</span>
      </header>
      <Bars rows={byAttempt} empty="No request has succeeded yet." tone="good" />
      <h3>Why attempts failed</h3>
      <Bars rows={byReason} empty="No attempt has failed." tone="bad" />
    </section>
  );
}

interface BarsProps {
  readonly rows: readonly { readonly name: string; readonly count: number }[];
  readonly empty: string;
  readonly tone: 'good' | 'bad';
}

function Bars({ rows, empty, tone }: BarsProps) {
  if (rows.length === 0) return <p class="muted empty-line">{empty}</p>;
  const total = rows.reduce((sum, { count }) => sum + count, 0);
  return (
    <ul class={`bars ${tone}`}>
      {rows.map(({ name, count }) => (
        <li key={name}>
          <span class="name">{name}</span>
          <span class="track" aria-hidden="true">
            <span style={{ width: `${(100 * count) / total}%` }} />
          </span>
          <span class="number">
            {formatPercent(count / total)} <small>{formatCount(count)}</small>
          </span>
        </li>
      ))}
    </ul>
  );
}
