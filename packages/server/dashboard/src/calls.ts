import { api } from './api.ts';
import { refreshNow } from './store.ts';
import type * as Wire from './wire.ts';

export async function addProxy(proxy: object): Promise<void> {
  await api.call('POST', 'proxies', proxy);
  refreshNow();
}

/** Text with one proxy a line, or a JSON array. Resolves with how many were added, if told. */
export async function importProxies(text: string): Promise<number | undefined> {
  const answer = await api.call<{ imported?: number } | undefined>(
    'POST',
    'proxies/import',
    jsonList(text) ?? text,
  );
  refreshNow();
  return answer?.imported;
}

/** The policy of the server bounds the request; this is beyond any that is in use. */
const sendTimeoutMs = 600_000;

/** Sends one request through the pool. */
export const sendRequest = (request: object) =>
  api.call<Wire.WireResponse>('POST', 'request', request, sendTimeoutMs);

export const readPolicy = () => api.call<Wire.WirePolicy>('GET', 'retry/policy');
export const changePolicy = (patch: object) =>
  api.call<Wire.WirePolicy>('PATCH', 'retry/policy', patch);

function jsonList(text: string): unknown[] | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return Array.isArray(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}
