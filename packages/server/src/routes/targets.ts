import type { TargetSnapshot } from '@whirl/rotator';
import { z } from 'zod';
import { failures } from '../http/errors.ts';
import { iso } from '../wire/time-wire.ts';
import type { Routes } from './route-context.ts';

const maxLimit = 1000;
const limitMessage = `must be an integer from 1 to ${maxLimit}`;
const count = z.int().min(0);
const states = ['up', 'unsure', 'down'] as const;

const querystring = z.strictObject({
  limit: z
    .string()
    .regex(/^[1-9]\d{0,3}$/, limitMessage)
    .transform(Number)
    .refine((limit) => limit <= maxLimit, limitMessage)
    .default(100)
    .meta({ override: { type: 'integer', minimum: 1, maximum: maxLimit, default: 100 } }),
});
const targetSchema = z
  .strictObject({
    origin: z.string(),
    state: z.enum(states).meta({
      description:
        '`unsure`: there was no response yet, or three failures or more in a row since the last one.',
    }),
    reason: z.string().meta({ description: 'What is known, in a sentence.' }),
    attempts: count.meta({ description: 'Attempts that have ended.' }),
    success_rate: z.number().min(0).max(1).nullable(),
    failures: z
      .strictObject({ proxy: count, route: count, target: count, unknown: count, caller: count })
      .meta({ description: 'By what was to blame.' }),
    since: z.iso.datetime().meta({ description: 'When the state began.' }),
    last_response: z.iso.datetime().nullable(),
  })
  .meta({ id: 'Target' });
const listSchema = z.strictObject({ targets: z.array(targetSchema) }).meta({ id: 'Targets' });

function targetToWire(target: TargetSnapshot): z.infer<typeof targetSchema> {
  const { origin, state, reason, attempts } = target;
  return {
    origin,
    state,
    reason,
    attempts,
    success_rate: target.successRate ?? null,
    failures: { ...target.failures },
    since: iso(target.since),
    last_response: iso(target.lastResponseAt),
  };
}

/** The targets, with what was to blame for the failures there. */
export const targetsRoutes: Routes = (app, { rotator }) => {
  app.get(
    '/targets',
    {
      schema: {
        operationId: 'listTargets',
        summary: 'The targets that were asked for, the latest first',
        tags: ['Requests'],
        querystring,
        response: {
          200: {
            description: 'At most 1,000 are known.',
            content: { 'application/json': { schema: listSchema } },
          },
          ...failures(400),
        },
      },
    },
    ({ query: { limit } }) => ({ targets: rotator.targets({ limit }).map(targetToWire) }),
  );
};
