import type { Behaviour } from '@whirl/testkit';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** Proxies and a target in another process. */
export interface Fleet {
  readonly target: string;
  readonly proxies: readonly string[];
  /** Connections that the proxies accepted so far. */
  dials(): Promise<number>;
  close(): Promise<void>;
}

/** `tls`: the target speaks TLS. */
export async function startFleet(
  behaviours: readonly Behaviour[],
  { tls = false } = {},
): Promise<Fleet> {
  const child = fork(
    fileURLToPath(new URL('servers.ts', import.meta.url)),
    [JSON.stringify(behaviours), String(tls)],
    { execArgv: ['--import', 'tsx'] },
  );
  const [ready] = (await once(child, 'message')) as [{ target: string; proxies: string[] }];
  return {
    ...ready,
    async dials() {
      child.send('dials');
      const [answer] = (await once(child, 'message')) as [{ dials: number }];
      return answer.dials;
    },
    async close() {
      child.disconnect();
      await once(child, 'exit');
    },
  };
}

/** `count` proxies that do what they should. */
export const flawless = (count: number): Behaviour[] =>
  Array.from({ length: count }, () => ({ kind: 'ok' }));

/** 30 % of the proxies misbehave, in seven ways; the rest work, and respond after 5 to 40 ms. */
export function flaky(count: number): Behaviour[] {
  const faults: Behaviour[] = [
    { kind: 'refuse' },
    { kind: 'reset' },
    { kind: 'hang' },
    { kind: 'close-after-connect' },
    { kind: 'garbage' },
    { kind: 'status', statusCode: 503 },
    { kind: 'mix', parts: [{ ratio: 0.75, behaviour: { kind: 'reset' } }] },
  ];
  return Array.from({ length: count }, (_, i) =>
    i % 10 < 3
      ? (faults[(i - Math.floor(i / 10) * 7) % faults.length] as Behaviour)
      : { kind: 'ok', latencyMs: 5 + ((i * 13) % 36) },
  );
}
