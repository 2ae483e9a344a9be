import { z } from 'zod';
import { maxMinutes } from '../minute-series.ts';

const minutesMessage = `must be an integer from 1 to ${maxMinutes}`;

/** `?hours=`: how far back to look. */
export const hoursSchema = z.strictObject({
  hours: z
    .string()
    .regex(/^[1-9]\d{0,2}$/, 'must be an integer from 1 to 168')
    .transform(Number)
    .refine((hours) => hours <= 168, 'must be an integer from 1 to 168')
    .default(24)
    .meta({
      description: 'How far back to look; more than is retained returns what there is.',
      override: { type: 'integer', minimum: 1, maximum: 168, default: 24 },
    }),
});

/** `?minutes=`: instead of hours. */
export const minutesSchema = z
  .string()
  .regex(/^[1-9]\d?$/, minutesMessage)
  .transform(Number)
  .refine((minutes) => minutes <= maxMinutes, minutesMessage)
  .optional()
  .meta({
    description: 'One point per started minute of so many, in place of hours.',
    override: { type: 'integer', minimum: 1, maximum: maxMinutes },
  });
