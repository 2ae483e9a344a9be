import type { ProxyRotator } from '@whirl/rotator';
import { duration, paint, type Terminal } from '../terminal/terminal.ts';

/** Milliseconds as people say them. */
function time(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : duration(ms);
}

/**
 * Tells on stderr what the rotator does: each attempt that fails, with `verbose` also each that begins and where the
 * time of its connection went.
 */
export function narrate(rotator: ProxyRotator, { stderr }: Terminal, verbose: boolean): void {
  const say = (line: string) => void stderr.write(`whirl: ${line}\n`);
  const { bus } = rotator;
  bus.on(
    'attempt:end',
    ({ attempt, proxyId, outcome, phase, reason = '', statusCode, latencyMs }) => {
      if (outcome === 'success' || outcome === 'aborted') return;
      const why = reason === 'status' ? `status ${statusCode}` : reason;
      const where = why === phase ? why : `${why} (${phase})`;
      const text = `attempt ${attempt + 1} through ${proxyId} failed: ${where} after ${time(latencyMs)}`;
      say(paint(stderr, 'yellow', text));
    },
  );
  bus.on('retry:scheduled', ({ delayMs }) => {
    if (delayMs > 0) say(`next attempt in ${time(delayMs)}`);
  });
  bus.on('retry:refused', ({ reason }) => {
    if (reason !== 'attempts') say(`no further attempt: ${reason}`);
  });
  if (!verbose) return;
  bus.on('attempt:start', ({ attempt, proxyId }) =>
    say(`attempt ${attempt + 1} through ${proxyId}`),
  );
  bus.on('connection:open', ({ proxyId, proxyMs, tunnelMs, tlsMs }) => {
    const parts = [`proxy reached in ${time(proxyMs)}`];
    if (tunnelMs > 0) parts.push(`tunnel in ${time(tunnelMs)}`);
    if (tlsMs > 0) parts.push(`TLS in ${time(tlsMs)}`);
    say(`connected through ${proxyId}: ${parts.join(', ')}`);
  });
}
