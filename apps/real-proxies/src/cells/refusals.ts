import { inspect } from 'node:util';
import type { Blame } from '@whirl/events';
import { ProxyAuthenticationError } from '@whirl/rotator';
import { expect } from 'vitest';
import type { Front, Way } from '../front.ts';
import { namespaces } from '../namespaces.ts';
import { markOf, type Outcome } from '../outcome.ts';
import { urlOf, type Stage } from '../stage.ts';
import { attemptError, outcomeOf } from '../whirl.ts';
import type { Cell } from './cell.ts';

/** Through a front that demands a password, with another one or with none. */
function unauthorized(
  name: string,
  given: (front: Front) => { readonly username: string; readonly password: string },
): Cell {
  return {
    name,
    comparable: true,
    without: ({ credentials }) =>
      credentials === undefined ? 'it demands no password' : undefined,
    async run(stage, way, lacking) {
      const { front } = stage;
      const { username, password } = given(front);
      const url = stage.url(way, '/hello');
      const rotator = stage.rotator(way, { proxies: [stage.proxy({ username, password })] });
      let error: unknown;
      const blames: Blame[] = [];
      rotator.bus.on('attempt:end', ({ blame }) => void blames.push(blame));
      const seen = await outcomeOf(rotator.get(url), (thrown) => (error = attemptError(thrown)));
      expect(seen).toEqual(await stage.curl({ url }, way, { username, password }));
      if (lacking) return markOf(seen);
      const socks = front.scheme.startsWith('socks');
      expect(error).toBeInstanceOf(ProxyAuthenticationError);
      expect(error).toMatchObject({
        code: 'PROXY_AUTHENTICATION',
        phase: socks ? 'socks' : way.tunnel ? 'connect' : 'headers',
        proxyId: 'front',
      });
      expect(blames).toEqual(['proxy']);
      if (password !== '') expect(inspect(error, { depth: 10 })).not.toContain(password);
      return markOf(seen);
    },
  };
}

/**
 * A request that cannot succeed, after one to another origin that did. The proxy has shown that it
 * works, and said of this target alone that it is out of reach or not allowed: it is not to blame.
 */
async function refused(stage: Stage, way: Way, url: string): Promise<Outcome> {
  const rotator = stage.rotator(way);
  const blames: Blame[] = [];
  rotator.bus.on('attempt:end', ({ blame }) => void blames.push(blame));
  const good = await outcomeOf(rotator.get(stage.url(way, '/hello')));
  expect(good).toMatchObject({ status: 200, body: 'hello' });
  const seen = await outcomeOf(rotator.get(url));
  expect(blames).toHaveLength(2);
  expect(seen).toEqual(sameWords(stage.front, await stage.curl({ url }, way)));
  if (seen.refusedBy !== undefined) expect(blames[1]).toBe(blameFor(seen));
  return seen;
}

/** A proxy that forbids speaks of the way (E3); one that did not get there speaks of the target (E4). */
function blameFor({ refusedBy, status = 0, reply }: Outcome): Blame {
  const forbids = refusedBy === 'connect' ? status < 500 : reply === 2;
  return forbids ? 'route' : 'target';
}

/** SOCKS4 has one code for every refusal, which curl shows and whirl leaves out. */
function sameWords({ scheme }: Front, seen: Outcome): Outcome {
  return scheme.startsWith('socks4') && seen.refusedBy === 'socks'
    ? { refusedBy: 'socks', reply: undefined }
    : seen;
}

function refusal(
  name: string,
  urlFor: (stage: Stage, way: Way) => string,
  without?: Cell['without'],
): Cell {
  return {
    name,
    comparable: true,
    ...(without === undefined ? {} : { without }),
    async run(stage, way, lacking) {
      const seen = await refused(stage, way, urlFor(stage, way));
      if (!lacking) expect(seen.status === undefined || seen.status >= 400).toBe(true);
      return markOf(seen);
    },
  };
}

export const refusals: readonly Cell[] = [
  unauthorized('wrong password', ({ credentials }) => ({
    username: credentials?.username ?? '',
    password: 'Not-The-Password',
  })),
  unauthorized('no password', () => ({ username: '', password: '' })),
  refusal('dead target', (stage, way) => stage.url(way, '/', 'dead')),
  refusal(
    'unknown name',
    (stage, way) => urlOf(way, 'unknown.invalid', stage.targets.port(way.secure, way.host), '/'),
    (_, { host }) =>
      host === '::1'
        ? 'a name has no address family'
        : namespaces
          ? undefined
          : 'without private namespaces a name would be asked for outside of this machine',
  ),
  refusal('forbidden port', (stage, way) => stage.url(way, '/hello', 'forbidden')),
];
