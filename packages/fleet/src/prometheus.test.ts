import { afterEach, expect, it } from 'vitest';
import { renderFleetPrometheus } from './prometheus.ts';
import { World } from './testing/world.ts';

let world: World;
afterEach(() => world.end());

/** The values of a page by series. */
function seriesOf(page: string): Map<string, number> {
  const lines = page.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const end = line.lastIndexOf(' ');
      return [line.slice(0, end), Number(line.slice(end + 1))];
    }),
  );
}

it('the page has every series once, with what the fleet has counted', async () => {
  world = new World();
  const [first] = world.startMany(3, { everyMs: 100 });
  await world.run(1000);
  world.dead.add('c');
  await world.run(20_000);
  const metrics = first!.fleet.metrics();
  const page = renderFleetPrometheus(metrics);
  const series = seriesOf(page);
  const lines = page.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  expect(series.size).toBe(lines.length);
  expect([...series.values()].every((value) => value >= 0)).toBe(true);
  const sum = (name: string) =>
    [...series].reduce((all, [key, value]) => (key.startsWith(name) ? all + value : all), 0);
  expect(series.get('whirl_fleet_processes')).toBe(3);
  expect(series.get('whirl_fleet_state{state="joined"}')).toBe(1);
  expect(sum('whirl_fleet_state')).toBe(1);
  expect(series.get('whirl_fleet_syncs_total{outcome="ok"}')).toBe(metrics.syncs.ok);
  expect(metrics.syncs.ok).toBeGreaterThan(80);
  expect(series.get('whirl_fleet_lag_seconds')).toBe(metrics.lagMs / 1000);
  expect(series.get('whirl_fleet_rows_total{direction="received"}')).toBe(metrics.rows.received);
  expect(sum('whirl_fleet_adopted_total')).toBeGreaterThan(0);
  expect(series.has('whirl_fleet_ignored_total{reason="one_witness"}')).toBe(true);
  expect(sum('whirl_fleet_leases_total')).toBeGreaterThan(0);
  // One HELP and one TYPE before the samples of each.
  const types = [...page.matchAll(/^# TYPE (\S+) (counter|gauge)$/gm)].map(([, name]) => name);
  expect(types).toEqual([...page.matchAll(/^# HELP (\S+) .+\.$/gm)].map(([, name]) => name));
  expect(types).toEqual([
    'whirl_fleet_processes',
    'whirl_fleet_state',
    'whirl_fleet_syncs_total',
    'whirl_fleet_sync_seconds',
    'whirl_fleet_lag_seconds',
    'whirl_fleet_rows_total',
    'whirl_fleet_rows_delayed_total',
    'whirl_fleet_adopted_total',
    'whirl_fleet_ignored_total',
    'whirl_fleet_leases_total',
  ]);
});

it('labels stand on every series, escaped', async () => {
  world = new World();
  const only = world.start('p1');
  const page = renderFleetPrometheus(only.fleet.metrics(), { labels: { pool: 'a"b\\c\n' } });
  expect(page).toContain('whirl_fleet_processes{pool="a\\"b\\\\c\\n"} 0\n');
  expect(page).toContain('whirl_fleet_state{pool="a\\"b\\\\c\\n",state="joining"} 1\n');
  for (const labels of [{ state: 'x' }, { 'a-b': 'x' }, { __a: 'x' }]) {
    expect(() => renderFleetPrometheus(only.fleet.metrics(), { labels })).toThrow(
      /^each name in labels must be .*, got "/,
    );
  }
  expect(() => renderFleetPrometheus(only.fleet.metrics(), { label: {} } as never)).toThrow(
    'unknown option "label": did you mean "labels"?',
  );
});
