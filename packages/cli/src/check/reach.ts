import net from 'node:net';
import type { Proxy } from '@whirl/rotator';
import type { Outcome } from './results/result.ts';
import { isLocal } from './local-error.ts';

/**
 * Opens a TCP connection to a proxy and closes it: a proxy that nothing reaches need not be asked which protocol it
 * speaks. Returns why it cannot be reached; undefined when it can.
 */
export function whyUnreachable(
  { host, port }: Proxy,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  return new Promise((resolve) => {
    let phase: 'dns' | 'tcp' = 'dns';
    const socket = net.connect({ host: host.replace(/^\[|\]$/g, ''), port });
    const timer = setTimeout(() => fail('timeout'), timeoutMs);
    const finish = (outcome: Outcome | undefined) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      socket.destroy();
      resolve(outcome);
    };
    const fail = (reason: 'timeout' | 'dns' | 'tcp' | 'local') =>
      finish({ ok: false, speaks: false, phase, reason });
    const onAbort = () => fail('timeout');
    signal.addEventListener('abort', onAbort);
    socket.on('lookup', (error: Error | null) => {
      if (error === null) phase = 'tcp';
    });
    socket.on('connect', () => finish(undefined));
    socket.on('error', (error) => fail(isLocal(error) ? 'local' : phase));
    if (net.isIP(host.replace(/^\[|\]$/g, '')) !== 0) phase = 'tcp';
  });
}
