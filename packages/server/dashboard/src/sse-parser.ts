/** One server-sent event. */
export interface SseMessage {
  /** The `event:` field, "message" without one. */
  readonly type: string;
  readonly data: string;
  /** The last `id:` seen so far, for `Last-Event-ID`. */
  readonly id: string;
}

/** Reads an event stream piece by piece; one for each connection. */
export interface SseParser {
  /** The events completed by this piece of text. Pieces may end anywhere. */
  push(text: string): SseMessage[];
  /** The `retry:` the server asked for last, in milliseconds. */
  readonly retryMs: number | undefined;
}

/**
 * The event stream format of the HTML standard, for `fetch`: `EventSource` cannot send an
 * Authorization header. Lines end in LF, CR LF or CR; comments (heartbeats) are skipped; an event
 * without data is dropped.
 */
export function createSseParser(): SseParser {
  let rest = '';
  let type = '';
  let id = '';
  let lines: string[] = [];
  let retryMs: number | undefined;

  const field = (line: string) => {
    const colon = line.indexOf(':');
    const name = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'event') type = value;
    else if (name === 'data') lines.push(value);
    else if (name === 'id' && !value.includes('\0')) id = value;
    else if (name === 'retry' && /^\d+$/.test(value)) retryMs = Number(value);
  };

  return {
    get retryMs() {
      return retryMs;
    },
    push(text) {
      rest += text;
      const messages: SseMessage[] = [];
      // A CR at the end waits for the next piece: it may be half of a CR LF.
      const complete = /([^\r\n]*)(\r\n|\n|\r(?!$))/y;
      let consumed = 0;
      for (let match = complete.exec(rest); match !== null; match = complete.exec(rest)) {
        consumed = complete.lastIndex;
        const line = match[1] as string;
        if (line !== '') {
          if (!line.startsWith(':')) field(line);
          continue;
        }
        if (lines.length > 0)
          messages.push({ type: type || 'message', data: lines.join('\n'), id });
        type = '';
        lines = [];
      }
      rest = rest.slice(consumed);
      return messages;
    },
  };
}
