import { parsedHeaders, type Headers, type RawHeaders } from '../message/undici-handler.ts';

/** The head of a response. Its headers are parsed when they are first read, which is seldom. */
export class ResponseHead {
  readonly statusCode: number;
  readonly rawHeaders: RawHeaders;
  readonly statusText: string;
  #headers: Headers | undefined;

  constructor(statusCode: number, rawHeaders: RawHeaders, statusText: string) {
    this.statusCode = statusCode;
    this.rawHeaders = rawHeaders;
    this.statusText = statusText;
  }

  get headers(): Headers {
    return (this.#headers ??= parsedHeaders(this.rawHeaders));
  }
}
