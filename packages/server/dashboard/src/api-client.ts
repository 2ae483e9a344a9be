/** An answer that is no success, or none at all. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** The HTTP status; 0 when the server did not answer. */
  readonly status: number;
  /** The server's message per field. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(status: number, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.status = status;
    this.details = details;
  }
}

/** What the page asks of the server. */
export interface ApiClient {
  /** The parsed answer; rejects with an ApiError. */
  call<Body>(method: string, path: string, body?: unknown, timeoutMs?: number): Promise<Body>;
  /** Opens the event stream; resolves with whatever status came. */
  stream(lastEventId: string, signal: AbortSignal): Promise<Response>;
  /** Server clock minus the browser's, in ms, as far as the last answer tells. */
  readonly clockSkewMs: number;
}

export interface ApiClientOptions {
  /** Where `/api/v1/` is, ending in a slash. */
  readonly baseUrl: string;
  readonly fetch: typeof fetch;
  readonly token: () => string | undefined;
  readonly now: () => number;
  /** A call without an answer for so long has failed. */
  readonly timeoutMs?: number;
}

/** A `Date` header has whole seconds and travelled: smaller differences are no skew. */
const skewWorthMs = 2000;

export function createApiClient(options: ApiClientOptions): ApiClient {
  const { baseUrl, token, now, timeoutMs = 15_000 } = options;
  let clockSkewMs = 0;

  const headers = (): Record<string, string> => {
    const secret = token();
    return secret === undefined ? {} : { authorization: `Bearer ${secret}` };
  };

  return {
    get clockSkewMs() {
      return clockSkewMs;
    },
    async call<Body>(
      method: string,
      path: string,
      body?: unknown,
      callTimeoutMs = timeoutMs,
    ): Promise<Body> {
      const text = typeof body === 'string';
      let response: Response;
      let answer: string;
      try {
        response = await options.fetch(baseUrl + path, {
          method,
          headers: {
            ...headers(),
            accept: 'application/json',
            ...(body === undefined
              ? {}
              : { 'content-type': text ? 'text/plain' : 'application/json' }),
          },
          ...(body === undefined ? {} : { body: text ? body : JSON.stringify(body) }),
          signal: AbortSignal.timeout(callTimeoutMs),
        });
        answer = await response.text();
      } catch {
        throw new ApiError(0, 'the server does not answer');
      }
      const date = Date.parse(response.headers.get('date') ?? '');
      if (!Number.isNaN(date)) {
        const skew = date - now();
        clockSkewMs = Math.abs(skew) < skewWorthMs ? 0 : skew;
      }
      const parsed = parse(answer);
      if (response.ok) return parsed as Body;
      const { message, details } = (parsed ?? {}) as { message?: string; details?: object };
      throw new ApiError(
        response.status,
        message ?? `the server answered ${response.status}`,
        (details ?? {}) as Record<string, unknown>,
      );
    },
    stream(lastEventId, signal) {
      return options.fetch(`${baseUrl}events?snapshot=false`, {
        headers: {
          ...headers(),
          accept: 'text/event-stream',
          ...(lastEventId === '' ? {} : { 'last-event-id': lastEventId }),
        },
        cache: 'no-store',
        signal,
      });
    },
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
