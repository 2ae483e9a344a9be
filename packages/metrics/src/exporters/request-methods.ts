/** Requests remembered at most; beyond it the oldest is forgotten. */
const maxRequests = 10_000;

/** What is not among these counts as `_OTHER`, so that callers cannot make series without end. */
const knownMethods: ReadonlySet<string> = new Set([
  'CONNECT',
  'DELETE',
  'GET',
  'HEAD',
  'OPTIONS',
  'PATCH',
  'POST',
  'PUT',
  'TRACE',
]);

/** The methods of the requests under way: an attempt's facts do not name it. */
export class RequestMethods {
  readonly #methods = new Map<string, string>();

  start(requestId: string, method: string): void {
    if (this.#methods.size >= maxRequests) {
      for (const oldest of this.#methods.keys()) {
        this.#methods.delete(oldest);
        break;
      }
    }
    this.#methods.set(requestId, knownMethods.has(method) ? method : '_OTHER');
  }

  of(requestId: string): string {
    return this.#methods.get(requestId) ?? '_OTHER';
  }

  end(requestId: string): void {
    this.#methods.delete(requestId);
  }
}
