import { once } from 'node:events';
import net from 'node:net';
import {
  startExitGateway,
  startProxy,
  startTarget,
  type Behaviour,
  type ExitFate,
  type GatewayMood,
} from '@whirl/testkit';

/** Where the members of the soak find everything that is not whirl. */
export interface Addresses {
  readonly proxies: readonly string[];
  /** A provider's gateway, with a placeholder for the session. */
  readonly gateway: string;
  /** An http target and an https one, with paths that delay, cut and fail. */
  readonly plain: string;
  readonly secure: string;
  /** The certificate of the https target. */
  readonly ca: string;
  /** Sends back what it gets. */
  readonly echoPort: number;
}

const proxyCount = 12;
/** So many work at every moment. */
const alwaysGood = 4;
/** Sessions of the provider's gateway get another exit after so long. */
const exitLifeMs = 30_000;
const badExits = 0.2;
const moods: readonly GatewayMood[] = ['down', 'wrong password', 'no balance'];

/** What a proxy that is not well does. */
export const waysToFail: readonly Behaviour[] = [
  { kind: 'refuse' },
  { kind: 'close' },
  { kind: 'reset' },
  { kind: 'hang' },
  { kind: 'half-close' },
  { kind: 'garbage' },
  { kind: 'large-header' },
  { kind: 'dribble', everyMs: 20, part: 'body' },
  { kind: 'status', statusCode: 502 },
  { kind: 'status', statusCode: 503, retryAfter: '1' },
  { kind: 'status', statusCode: 407 },
  { kind: 'close-after-connect' },
  { kind: 'silent-after-connect' },
  { kind: 'plain-after-connect' },
  { kind: 'cut-body', afterBytes: 20_000 },
];

/** A server that sends back what it gets, and the sockets that it holds. */
export async function startEcho() {
  const sockets = new Set<net.Socket>();
  const server = net.createServer({ noDelay: true }, (socket) => {
    sockets.add(socket.on('error', () => {}).on('close', () => sockets.delete(socket)));
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1', 1024);
  await once(server, 'listening');
  return {
    port: (server.address() as net.AddressInfo).port,
    openSockets: () => sockets.size,
    close: () => server.close(),
  };
}

/** Targets, proxies and a provider's gateway. `random` decides what fails, and when. */
export async function startFarSide(random: () => number) {
  const plain = await startTarget();
  const secure = await startTarget({ tls: true });
  const echo = await startEcho();
  const proxies = await Promise.all(Array.from({ length: proxyCount }, () => startProxy()));
  const fate = (): ExitFate => {
    const at = random() / badExits;
    return at < 0.5 ? 'dead' : at < 1 ? 'banned' : 'ok';
  };
  const provider = await startExitGateway({ fate, ttlMs: exitLifeMs });
  const good = new Set(proxies);
  const one = <Each>(list: readonly Each[]) => list[Math.floor(random() * list.length)] as Each;
  const servers = [
    ...Object.entries({ target: plain, 'https target': secure, echo }),
    ...proxies.map((proxy, i) => [`proxy ${i + 1}`, proxy] as const),
  ];
  const addresses: Addresses = {
    proxies: proxies.map(({ url }) => url),
    gateway: `http://U-sessid-{session}:pw@${provider.host}:${provider.port}`,
    plain: plain.origin,
    secure: secure.origin,
    ca: secure.ca ?? '',
    echoPort: echo.port,
  };
  return {
    addresses,
    /** A proxy falls ill or heals; one time in eight the provider's gateway does. */
    async change() {
      if (random() < 1 / 8) {
        await provider.mood(random() < 0.5 ? one(moods) : 'ok');
        return;
      }
      const proxy = one(proxies);
      if (good.size > alwaysGood && good.delete(proxy)) await proxy.behave(one(waysToFail));
      else if (!good.has(proxy)) await proxy.behave({ kind: 'ok' }).then(() => good.add(proxy));
    },
    async heal() {
      for (const proxy of proxies) await proxy.behave({ kind: 'ok' });
      await provider.mood('ok');
    },
    /** The provider keeps connections to targets for its next request. */
    closeProvider: () => provider.close(),
    /** `name: count` of each server that has some. */
    openSockets: () =>
      servers
        .filter(([, server]) => server.openSockets() > 0)
        .map(([name, server]) => `${name}: ${server.openSockets()}`),
    async close() {
      echo.close();
      await Promise.all([plain, secure, provider, ...proxies].map((each) => each.close()));
    },
  };
}

export type FarSide = Awaited<ReturnType<typeof startFarSide>>;
