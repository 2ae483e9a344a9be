import { startProxy, type Behaviour, type ProxyServerOptions } from '@whirl/testkit';

/** The ways in which proxies are dead, each seen only once CONNECT, or the request, is there. */
const waysOfDying: readonly Behaviour[] = [
  { kind: 'reset' },
  { kind: 'status', statusCode: 502 },
  { kind: 'close-after-connect' },
  { kind: 'silent-after-connect' },
  { kind: 'plain-after-connect' },
];

export interface DyingProxies {
  readonly urls: readonly string[];
  /** How many of them were asked for something. */
  asked(): number;
  close(): Promise<void>;
}

/**
 * Six proxies. Whichever are asked first are the dead ones, each in a way of its own; the last one works. So a
 * client has met all of them once it has its response, in whatever order it takes them.
 */
export async function startDyingProxies(
  targets: NonNullable<ProxyServerOptions['targets']>,
): Promise<DyingProxies> {
  const count = waysOfDying.length + 1;
  const parts = waysOfDying.map((behaviour) => ({ ratio: 1 / count, behaviour }));
  let asked = 0;
  const proxies = await Promise.all(
    Array.from({ length: count }, () => {
      let turn: number | undefined;
      // What it is asked for first decides which part of the mix it stays.
      const random = () => ((turn ??= asked++) + 0.5) / count;
      return startProxy({ targets, random, behaviour: { kind: 'mix', parts } });
    }),
  );
  return {
    urls: proxies.map(({ url }) => url),
    asked: () => asked,
    close: async () => {
      await Promise.all(proxies.map((proxy) => proxy.close()));
    },
  };
}
