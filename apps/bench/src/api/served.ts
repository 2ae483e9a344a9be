import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ProxyRotator } from '@whirl/rotator';
import { startServer } from '@whirl/server';

/** Starts a file of this folder as a process. */
export const start = (name: string) => fork(fileURLToPath(new URL(name, import.meta.url)));
/** The next message of a process; it rejects when the process ends first. */
export const message = <Message>(child: ChildProcess) =>
  new Promise<Message>((resolve, reject) => {
    child.once('message', (value) => resolve(value as Message));
    child.once('exit', (code) => reject(new Error(`a child ended with ${code}`)));
  });

export interface Served {
  readonly rotator: ProxyRotator;
  readonly address: string;
  close(): Promise<void>;
}

/** The API over these proxies, in this process. */
export async function serve(proxies: readonly string[]): Promise<Served> {
  const server = await startServer({
    proxies,
    retryPolicy: { maxAttempts: 4, baseDelayMs: 100, failoverDelay: 'none' },
    api: { port: 0, dashboard: false },
    gateway: false,
    shutdownTimeoutMs: 0,
  });
  const { rotator, url } = server;
  return { rotator, address: String(url), close: () => server.close() };
}
