import type { FleetProcess, FleetReport } from '@whirl/fleet';
import { z } from 'zod';
import type { JoinedFleet } from '../fleet.ts';
import { failures } from '../http/errors.ts';
import { iso } from '../wire/time-wire.ts';
import type { Routes } from './route-context.ts';

const querystring = z.strictObject({
  proxy_id: z.string().min(1).max(300).optional().meta({
    description: 'With the reports of all processes about this proxy.',
  }),
});
const processSchema = z
  .strictObject({
    process: z.string(),
    witness: z.string().meta({
      description: 'Processes of one witness count as one: they may share a dead network.',
    }),
    state: z.enum(['joined', 'suspect', 'silent']).meta({
      description:
        '`suspect`: most proxies fail for it, so it reports no failures; `silent`: it has not been heard of.',
    }),
    silent_since: z.iso.datetime().nullable(),
  })
  .meta({ id: 'FleetProcess' });
const reportSchema = z
  .strictObject({
    process: z.string(),
    witness: z.string(),
    failures_in_a_row: z.int().min(0).meta({ description: '0: the proxy works there.' }),
    failed_at: z.iso.datetime().nullable(),
    worked_at: z.iso.datetime().nullable(),
    open_until: z.iso
      .datetime()
      .nullable()
      .meta({ description: 'Until when its circuit is open there; null: it is not.' }),
  })
  .meta({ id: 'FleetReport' });
const fleetSchema = z
  .strictObject({
    pool: z.string().meta({ description: 'The name under which the processes meet.' }),
    process: z.string().meta({ description: 'This one.' }),
    state: z.enum(['joining', 'joined', 'degraded', 'suspect']).meta({
      description: '`degraded`: Redis does not respond, and this process decides alone.',
    }),
    processes: z.array(processSchema),
    reports: z.array(reportSchema).meta({
      description: 'Of about a minute, and of proxies that fail for one process at least.',
    }),
  })
  .meta({ id: 'Fleet' });
const responseSchema = z
  .strictObject({
    fleet: fleetSchema.nullable().meta({ description: 'null: this server is alone.' }),
  })
  .meta({ id: 'FleetResponse' });

function processToWire(each: FleetProcess): z.infer<typeof processSchema> {
  const { process, witness, state, silentAt } = each;
  return { process, witness, state, silent_since: iso(silentAt) };
}

function reportToWire(report: FleetReport): z.infer<typeof reportSchema> {
  return {
    process: report.process,
    witness: report.witness,
    failures_in_a_row: report.failuresInARow,
    failed_at: iso(report.failedAt),
    worked_at: iso(report.workedAt),
    open_until: iso(report.openUntil),
  };
}

function fleetToWire(
  { pool, process, fleet }: JoinedFleet,
  proxyId: string | undefined,
): z.infer<typeof fleetSchema> {
  return {
    pool,
    process,
    state: fleet.state,
    processes: fleet.processes().map(processToWire),
    reports: proxyId === undefined ? [] : fleet.reports(proxyId).map(reportToWire),
  };
}

/** Shows the fleet: which processes there are, and what they say of a proxy. */
export const fleetRoutes: Routes = (app, { fleet }) => {
  app.get(
    '/fleet',
    {
      schema: {
        operationId: 'getFleet',
        summary: 'The processes that learn together about this pool',
        tags: ['Operations'],
        querystring,
        response: {
          200: {
            description: 'The fleet, as this process sees it.',
            content: { 'application/json': { schema: responseSchema } },
          },
          ...failures(400),
        },
      },
    },
    ({ query }) => ({ fleet: fleet === undefined ? null : fleetToWire(fleet, query.proxy_id) }),
  );
};
