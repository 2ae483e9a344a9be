import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A redis-server of one's own on loopback, which saves nothing by itself. */
export class RedisServer {
  readonly port: number;
  readonly #folder: string;
  readonly #options: readonly string[];
  #child: ChildProcess;

  private constructor(port: number, folder: string, options: readonly string[]) {
    this.port = port;
    this.#folder = folder;
    this.#options = options;
    this.#child = this.#spawn();
  }

  /** With options of its command line, such as `--maxmemory`. */
  static async start(...options: readonly string[]): Promise<RedisServer> {
    const folder = await mkdtemp(join(tmpdir(), 'whirl-redis-'));
    const server = new RedisServer(await freePort(), folder, options);
    await server.#ready();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** The process that runs at the moment. */
  get pid(): number {
    return this.#child.pid as number;
  }

  pause(): void {
    this.#child.kill('SIGSTOP');
  }

  resume(): void {
    this.#child.kill('SIGCONT');
  }

  async kill(): Promise<void> {
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
  }

  /** After `kill`: the same port, and nothing left of what it knew but what SAVE wrote, which may still be read. */
  async restart(): Promise<void> {
    this.#child = this.#spawn();
    await this.#ready();
  }

  /** Runs a command; answers what the server sent. */
  async command(...words: string[]): Promise<string> {
    const socket = connect(this.port, '127.0.0.1');
    socket.write(
      `*${words.length}\r\n${words.map((each) => `$${Buffer.byteLength(each)}\r\n${each}\r\n`).join('')}`,
    );
    const [reply] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    return reply.toString();
  }

  /** The names of all keys. */
  async keys(): Promise<string[]> {
    const lines = (await this.command('KEYS', '*')).split('\r\n');
    return lines.filter((_, i) => i > 0 && i % 2 === 0);
  }

  /** All keys and values in one file; uncompressed, if the server was started so. */
  async saved(): Promise<Buffer> {
    await this.command('SAVE');
    return readFile(join(this.#folder, 'dump.rdb'));
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.resume();
      await this.kill();
    }
    await rm(this.#folder, { recursive: true, force: true });
  }

  #spawn(): ChildProcess {
    const options = [
      '--port',
      String(this.port),
      '--bind',
      '127.0.0.1',
      '--save',
      '',
      '--appendonly',
      'no',
    ];
    const all = [...options, '--dir', this.#folder, ...this.#options];
    return spawn('redis-server', all, { stdio: 'ignore' });
  }

  async #ready(): Promise<void> {
    for (let tries = 0; ; tries++) {
      try {
        if (/^(\+PONG|-LOADING)/.test(await this.command('PING'))) return;
      } catch (error) {
        if (tries > 200) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
