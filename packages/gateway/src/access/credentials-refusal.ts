import { Refusal } from '../head/refusal.ts';

/** A refusal for wrong or missing credentials, with the fields that belong to it. */
export class CredentialsRefusal extends Refusal {
  readonly fields: readonly string[];

  constructor(statusCode: 407 | 429, message: string, retryAfterMs = 0) {
    super(statusCode, message);
    this.fields =
      statusCode === 407
        ? ['Proxy-Authenticate', 'Basic realm="whirl", charset="UTF-8"']
        : ['Retry-After', String(Math.max(1, Math.ceil(retryAfterMs / 1000)))];
  }
}
