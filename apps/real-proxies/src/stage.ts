import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ProxyRotator, type RotatorOptions } from '@whirl/rotator';
import { certificateOf } from '@whirl/testkit';
import { curl, type CurlRequest } from './curl.ts';
import { Daemon } from './daemon.ts';
import type { Front, Way } from './front.ts';
import type { Outcome } from './outcome.ts';
import { freePort } from './ports.ts';
import type { Credentials, Setup, Software } from './software/software.ts';
import { Targets } from './targets.ts';

type Pair = Pick<Credentials, 'username' | 'password'>;

/** A front with its processes and the targets. */
export class Stage {
  readonly front: Front;
  readonly targets: Targets;
  /** What the front listens on. */
  readonly port: number;
  /** The process that clients talk to. */
  readonly daemon: Daemon;
  readonly #behind: Daemon | undefined;
  readonly #rotators: ProxyRotator[] = [];
  readonly #folder: string;
  readonly #caFile: string;

  private constructor(
    front: Front,
    targets: Targets,
    port: number,
    daemons: readonly Daemon[],
    folder: string,
    caFile: string,
  ) {
    this.front = front;
    this.targets = targets;
    this.port = port;
    [this.daemon, this.#behind] = daemons as [Daemon, Daemon | undefined];
    this.#folder = folder;
    this.#caFile = caFile;
  }

  static async open(front: Front): Promise<Stage> {
    const targets = await Targets.start();
    const folder = await mkdtemp(join(tmpdir(), 'whirl-proxies-'));
    await chmod(folder, 0o755);
    const { cert, key } = await certificateOf();
    const caFile = join(folder, 'ca.pem');
    await writeFile(caFile, cert);
    const { software, scheme, credentials, behind, host = '127.0.0.1' } = front;
    const daemons: Daemon[] = [];
    const launch = async (one: Software, given: Partial<Setup> & { host: string }) => {
      const own = join(folder, String(daemons.length));
      await mkdir(own);
      const pemFile = join(own, 'server.pem');
      await writeFile(pemFile, `${cert.trim()}\n${key.trim()}\n`);
      const port = await freePort();
      const daemon = await Daemon.start(one, {
        folder: own,
        port,
        allowedPorts: [...targets.ports('allowed'), targets.deadPort],
        forbiddenPorts: targets.ports('forbidden'),
        ...(scheme === 'https' && one === software ? { pemFile } : {}),
        ...given,
      });
      daemons.unshift(daemon);
      return port;
    };
    try {
      let upstream: Setup['upstream'];
      if (behind !== undefined) {
        upstream = {
          host: '127.0.0.1',
          port: await launch(behind, { host: '127.0.0.1', credentials }),
        };
      }
      const port = await launch(software, {
        host,
        upstream,
        credentials: behind === undefined ? credentials : undefined,
      });
      return new Stage(front, targets, port, daemons, folder, caFile);
    } catch (error) {
      for (const daemon of daemons) await daemon.stop();
      await targets.close();
      throw error;
    }
  }

  /** `scheme://host:port`. */
  get address(): string {
    const { scheme, host = '127.0.0.1' } = this.front;
    return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${this.port}`;
  }

  /** As whirl is given it, with the front's credentials or others; empty ones are none. */
  proxy(credentials: Pair | undefined = this.front.credentials) {
    const { username, password } = credentials ?? {};
    return { url: this.address, id: 'front', username, password };
  }

  /** A rotator with the front alone and one attempt per request, unless it is told otherwise. */
  rotator(way: Way, options: RotatorOptions = {}): ProxyRotator {
    const { ca } = this.targets;
    const rotator = new ProxyRotator({
      proxies: [this.proxy()],
      retryPolicy: null,
      tunnel: way.tunnel ? 'always' : 'auto',
      tls: { ca },
      proxyTls: { ca },
      ...options,
    });
    this.#rotators.push(rotator);
    return rotator;
  }

  /** Closes the rotators that it made. */
  async closeRotators(): Promise<void> {
    await Promise.all(this.#rotators.splice(0).map((rotator) => rotator.close()));
  }

  /** The same by curl. */
  curl(
    request: CurlRequest,
    way: Pick<Way, 'tunnel'>,
    credentials: Pair | undefined = this.front.credentials,
  ): Promise<Outcome> {
    const { username, password } = credentials ?? {};
    const proxy = { url: this.address, username, password, tunnel: way.tunnel };
    return curl(request, proxy, this.#caFile);
  }

  /** Of the way's target. */
  url(way: Way, path: string, kind: 'allowed' | 'forbidden' | 'dead' = 'allowed'): string {
    const { targets } = this;
    const port = kind === 'dead' ? targets.deadPort : targets.port(way.secure, way.host, kind);
    return urlOf(way, way.host, port, path);
  }

  /** Ends the proxies and everything that they had open; the targets stay. */
  async stopProxies(): Promise<void> {
    await this.daemon.stop();
    await this.#behind?.stop();
  }

  async close(): Promise<void> {
    await this.stopProxies();
    await this.targets.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

export function urlOf(way: Way, host: string, port: number, path: string): string {
  const authority = host.includes(':') ? `[${host}]` : host;
  return `${way.secure ? 'https' : 'http'}://${authority}:${port}${path}`;
}
