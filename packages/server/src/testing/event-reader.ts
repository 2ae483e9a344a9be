import http from 'node:http';

export interface ReceivedEvent {
  readonly id: string;
  readonly event: string;
  readonly data: Record<string, unknown>;
}

export interface EventReader {
  readonly headers: http.IncomingHttpHeaders;
  /** Everything received so far, comments included. */
  readonly text: string;
  /** The next event of a type; earlier ones are passed over. */
  next(type: string): Promise<ReceivedEvent>;
  /** Waits until the text received matches. */
  until(pattern: RegExp): Promise<void>;
  /** Resolves when the server has ended the stream. */
  readonly ended: Promise<void>;
  close(): void;
}

/** Reads server-sent events as a browser would. */
export async function readEvents(
  url: string,
  headers: Record<string, string> = {},
): Promise<EventReader> {
  const request = http.get(url, { headers, agent: false });
  const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
    request.once('response', resolve);
    request.once('error', reject);
  });
  if (response.statusCode !== 200) throw new Error(`${url} responded ${response.statusCode}`);
  response.setEncoding('utf8');
  let text = '';
  let taken = 0;
  let wake = () => {};
  let done = false;
  const ended = new Promise<void>((resolve) => {
    response.once('close', () => {
      done = true;
      wake();
      resolve();
    });
  });
  response.on('error', () => {});
  response.on('data', (chunk: string) => {
    text += chunk;
    wake();
  });
  const more = async () => {
    if (done) throw new Error(`the stream ended after: ${text}`);
    await new Promise<void>((resolve) => (wake = resolve));
  };
  return {
    headers: response.headers,
    get text() {
      return text;
    },
    ended,
    async next(type) {
      for (;;) {
        const end = text.indexOf('\n\n', taken);
        if (end === -1) {
          await more();
          continue;
        }
        const lines = text.slice(taken, end).split('\n');
        taken = end + 2;
        const field = (name: string) =>
          lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2) ?? '';
        if (field('event') === type) {
          const data = JSON.parse(field('data')) as Record<string, unknown>;
          return { id: field('id'), event: type, data };
        }
      }
    },
    async until(pattern) {
      while (!pattern.test(text)) await more();
    },
    close: () => request.destroy(),
  };
}
