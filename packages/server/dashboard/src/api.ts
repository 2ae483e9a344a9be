import { createApiClient } from './api-client.ts';
import { currentToken } from './token.ts';

export const api = createApiClient({
  baseUrl: new URL('api/v1/', document.baseURI).href,
  fetch: (input, init) => fetch(input, init),
  token: currentToken,
  now: Date.now,
});

/** The server's clock as far as it is known, so that countdowns are right on any machine. */
export const serverNow = () => Date.now() + api.clockSkewMs;
