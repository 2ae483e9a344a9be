import { paint, type Output } from '../terminal/terminal.ts';

/** Of pino: warnings are 40, errors 50 and more. */
const warning = 40;

/** A line of the log as a person reads it: `whirl: warning: no gateway: its port is in use (port 8001)`. */
export function readable(line: string, stream: Output): string {
  const { level, time: _time, msg, err, ...rest } = JSON.parse(line) as Record<string, unknown>;
  let kind = '';
  if (Number(level) > warning) kind = `${paint(stream, 'red', 'error')}: `;
  else if (level === warning) kind = `${paint(stream, 'yellow', 'warning')}: `;
  const reason = (err as { message?: string } | undefined)?.message;
  const fields = Object.entries(rest).map(
    ([name, value]) => `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  const more = [...(reason === undefined ? [] : [reason]), ...fields].join(', ');
  return `whirl: ${kind}${String(msg)}${more === '' ? '' : ` (${more})`}\n`;
}
