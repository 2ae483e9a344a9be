import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const entry = fileURLToPath(new URL('../../../../apps/api/src/server.ts', import.meta.url));

export interface RealServer {
  readonly url: string;
  readonly port: number;
  /** Asks the API and reads the answer. */
  ask<Body>(path: string): Promise<Body>;
  /** As an operator stops it. Resolves with the exit code. */
  stop(): Promise<number | null>;
}

/** The server as a process of its own, with its demo fleet by default. Port 0: any that is free. */
export async function startRealServer(
  port = 0,
  flags: readonly string[] = ['--demo'],
): Promise<RealServer> {
  const child = spawn(
    process.execPath,
    ['--conditions=@whirl/source', '--import', 'tsx', entry, '--port', String(port), ...flags],
    { env: { PATH: process.env['PATH'] ?? '' } },
  );
  const exit = once(child, 'close').then(([code]) => code as number | null);
  let output = '';
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const listening = new Promise<string>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      const url = /whirl listens at ([^"]+)"/.exec(output)?.[1];
      if (url !== undefined) resolve(`${url}/`);
    });
  });
  const ended = exit.then((code) => {
    throw new Error(`the server ended with ${code}:\n${output}`);
  });
  ended.catch(() => {});
  const url = await Promise.race([listening, ended]);
  return {
    url,
    port: Number(new URL(url).port),
    async ask<Body>(path: string) {
      return (await (await fetch(`${url}api/v1/${path}`)).json()) as Body;
    },
    stop() {
      child.kill('SIGTERM');
      return exit;
    },
  };
}
