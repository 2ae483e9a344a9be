import { spawn, type ChildProcess } from 'node:child_process';
import { chown, readdir, readFile, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import type { Setup, Software } from './software/software.ts';

/** `nobody` and `nogroup`: proxies are started with no rights at all. */
const unprivileged = { uid: 65_534, gid: 65_534 };

/** A bound for a proxy that does not start or end, not for one that is slow. */
const patienceMs = 30_000;

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ host, port });
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}

/** One proxy in the foreground, in a process group of its own that takes its signals. */
export class Daemon {
  readonly #software: Software;
  readonly #setup: Setup;
  #child: ChildProcess | undefined;
  #output = '';

  private constructor(software: Software, setup: Setup) {
    this.#software = software;
    this.#setup = setup;
  }

  /** Resolves when it accepts connections; rejects with its output when it ends before that. */
  static async start(software: Software, setup: Setup): Promise<Daemon> {
    const daemon = new Daemon(software, setup);
    await daemon.start();
    return daemon;
  }

  get running(): boolean {
    return this.#child !== undefined;
  }

  async start(): Promise<void> {
    const { executable } = this.#software;
    const { folder, host, port } = this.#setup;
    const { args, files = {}, asRoot = false } = this.#software.launch(this.#setup);
    for (const [name, text] of Object.entries(files)) {
      await writeFile(`${folder}/${name}`, text);
    }
    const root = process.getuid?.() === 0;
    if (root) await chown(folder, unprivileged.uid, unprivileged.gid);
    const child = spawn(executable, args, {
      cwd: folder,
      // A process group, so that a signal reaches its workers too.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(root && !asRoot ? unprivileged : {}),
    });
    const collect = (chunk: Buffer) => (this.#output = (this.#output + chunk).slice(-4000));
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    let failure: string | undefined;
    child.once('error', (error) => (failure = error.message));
    child.once('exit', (code, signal) => {
      failure = `it ended with ${code ?? signal}`;
      if (this.#child === child) this.#child = undefined;
    });
    this.#child = child;
    const until = Date.now() + patienceMs;
    while (failure === undefined && !(await accepts(host, port))) {
      if (Date.now() > until) failure = `port ${port} accepts no connection`;
      await wait(10);
    }
    if (failure === undefined) return;
    await this.stop();
    throw new Error(`${this.#software.name}: ${failure}\n${this.#output}`);
  }

  /** Sends a signal to the proxy and its workers. */
  signal(name: 'SIGSTOP' | 'SIGCONT' | 'SIGTERM' | 'SIGKILL'): void {
    const pid = this.#child?.pid;
    if (pid === undefined) return;
    try {
      process.kill(-pid, name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }

  /** Resolves when all of its processes are stopped. */
  async pause(): Promise<void> {
    const pid = this.#child?.pid;
    if (pid === undefined) return;
    this.signal('SIGSTOP');
    while ((await statesOf(pid)).some((state) => !'TZ'.includes(state))) await wait(1);
  }

  /** Resolves when no process of it is left. */
  async kill(): Promise<void> {
    const pid = this.#child?.pid;
    this.signal('SIGKILL');
    await this.#gone(pid);
  }

  async stop(): Promise<void> {
    const pid = this.#child?.pid;
    this.signal('SIGTERM');
    this.signal('SIGCONT');
    await this.#gone(pid, 3000);
  }

  /** After `killAfterMs` it is killed. */
  async #gone(pid: number | undefined, killAfterMs = 0): Promise<void> {
    if (pid === undefined) return;
    const killAt = Date.now() + killAfterMs;
    const until = Date.now() + patienceMs;
    while (await lives(pid)) {
      if (Date.now() >= killAt) this.signal('SIGKILL');
      if (Date.now() > until) throw new Error(`${this.#software.name} (${pid}) does not end`);
      await wait(5);
    }
    this.#child = undefined;
  }
}

/** The states of the processes of a group: R, S, T and so on, see proc(5). */
async function statesOf(group: number): Promise<string[]> {
  const states: string[] = [];
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    // What follows the name, which may hold spaces and brackets: state, parent, group.
    const [state = '', , of] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (Number(of) === group) states.push(state);
  }
  return states;
}

/** Whether a process of a group still runs; one that only waits to be collected does not. */
async function lives(group: number): Promise<boolean> {
  return (await statesOf(group)).some((state) => state !== 'Z');
}
