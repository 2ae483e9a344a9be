import { InvalidPolicyError } from '@whirl/rotator';
import type { z } from 'zod';
import { failures, invalidInput, type ApiError } from '../http/errors.ts';
import {
  policyChangeSchema,
  policyFromWire,
  policySchema,
  policyToWire,
  policyViewSchema,
} from '../wire/policy-wire.ts';
import { iso } from '../wire/time-wire.ts';
import { fieldsOf } from '../http/validation.ts';
import type { Routes } from './route-context.ts';

const tags = ['Retry policy'];
const success = { 200: { description: 'The policy.', content: json(policyViewSchema) } };

function json<Schema>(schema: Schema) {
  return { 'application/json': { schema } };
}

/** Names the fields as they are on the wire. */
export function policyIssues(error: unknown): ApiError | undefined {
  if (!(error instanceof InvalidPolicyError)) return undefined;
  const snake = (field: string) =>
    field.replace(/Ms$/, '').replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return invalidInput(
    Object.fromEntries(error.issues.map(({ field, message }) => [snake(field), message])),
  );
}

/** Reads, replaces and changes the global retry policy. */
export const retryPolicyRoutes: Routes = (app, { rotator, givenPolicy, now }) => {
  let updatedAt = now();
  const off = rotator.bus.on('policy:changed', () => (updatedAt = now()));
  app.addHook('onClose', async () => off());

  /** A cap that was written stays as it is; any other follows from the base delay. */
  let capGiven = givenPolicy?.maxBackoffDelayMs !== undefined;
  const view = () => ({ ...policyToWire(rotator.retryPolicy), updated_at: iso(updatedAt) });
  const replace = (wire: z.infer<typeof policySchema>) => {
    try {
      rotator.retryPolicy = policyFromWire(wire);
    } catch (error) {
      throw policyIssues(error) ?? error;
    }
    capGiven = wire.max_backoff_delay !== undefined;
    return view();
  };

  app.get(
    '/retry/policy',
    {
      schema: {
        operationId: 'getRetryPolicy',
        summary: 'The global retry policy',
        tags,
        response: success,
      },
    },
    () => view(),
  );
  app.put(
    '/retry/policy',
    {
      schema: {
        operationId: 'replaceRetryPolicy',
        summary: 'Replace the policy; what is absent gets its default',
        tags,
        body: policyChangeSchema,
        response: { ...success, ...failures(400, 413, 415) },
      },
    },
    ({ body }) => replace(body),
  );
  app.patch(
    '/retry/policy',
    {
      schema: {
        operationId: 'changeRetryPolicy',
        summary: 'Change only what is given',
        tags,
        body: policyChangeSchema,
        response: { ...success, ...failures(400, 413, 415) },
      },
    },
    ({ body: { updated_at: _ignored, ...change } }) => {
      const { max_backoff_delay: cap, ...current } = policyToWire(rotator.retryPolicy);
      // One that another part of the program set is not known to be given, but does not follow.
      const follows = !capGiven && cap === Math.max(30, current.base_delay);
      const merged = { ...current, ...(follows ? {} : { max_backoff_delay: cap }), ...change };
      const checked = policySchema.safeParse(merged);
      if (!checked.success) throw invalidInput(fieldsOf(checked.error.issues));
      return replace(checked.data);
    },
  );
};
