import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ProxyRotator } from '@whirl/rotator';
import { buildApp } from '@whirl/server';

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
  const rotator = new ProxyRotator({
    proxies,
    retryPolicy: { maxAttempts: 4, baseDelayMs: 100, failoverDelay: 'none' },
  });
  const app = await buildApp({ rotator, dashboard: false });
  const address = await app.listen({ host: '127.0.0.1', port: 0 });
  return {
    rotator,
    address,
    async close() {
      await app.close();
      await rotator.destroy();
    },
  };
}
