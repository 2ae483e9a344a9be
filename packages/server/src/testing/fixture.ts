import { ProxyRotator, type RotatorOptions } from '@whirl/rotator';
import {
  startProxy,
  startTarget,
  type Behaviour,
  type FlakyProxy,
  type Target,
} from '@whirl/testkit';
import type { FastifyInstance, LightMyRequestResponse } from 'fastify';
import { onTestFinished } from 'vitest';
import { buildApp, type AppOptions } from '../app.ts';
import { conformanceOf } from './conformance.ts';

export interface Fixture {
  readonly app: FastifyInstance;
  readonly rotator: ProxyRotator;
  readonly proxies: readonly FlakyProxy[];
  readonly target: Target;
  /**
   * Sends a request to the API and checks that the response is documented. A payload that is not a
   * string travels as JSON.
   */
  send(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    url: string,
    payload?: unknown,
    headers?: Record<string, string>,
  ): Promise<LightMyRequestResponse>;
}

/** The API over a rotator with real proxies on loopback; closed when the test has finished. */
export async function startFixture({
  behaviours = [],
  rotator: rotatorOptions = {},
  ...appOptions
}: {
  readonly behaviours?: readonly Behaviour[];
  readonly rotator?: RotatorOptions;
} & Partial<Omit<AppOptions, 'rotator'>> = {}): Promise<Fixture> {
  const target = await startTarget();
  const proxies = await Promise.all(behaviours.map((behaviour) => startProxy({ behaviour })));
  const rotator = new ProxyRotator({ proxies: proxies.map(({ url }) => url), ...rotatorOptions });
  const app = await buildApp({ rotator, dashboard: false, ...appOptions });
  const conformance = conformanceOf(app);
  onTestFinished(async () => {
    await app.close();
    await rotator.destroy();
    await Promise.all([...proxies, target].map((server) => server.close()));
  });
  return {
    app,
    rotator,
    proxies,
    target,
    async send(method, url, payload, headers = {}) {
      const json = payload !== undefined && typeof payload !== 'string';
      const response = await app.inject({
        method,
        url,
        headers: {
          ...(json ? { 'content-type': 'application/json' } : {}),
          ...headers,
        },
        ...(payload === undefined ? {} : { payload: payload as string }),
      });
      conformance.check(method, url, response);
      return response;
    },
  };
}

export const ok: Behaviour = { kind: 'ok' };
