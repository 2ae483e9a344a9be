import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import {
  attemptEnd,
  circuitTransition,
  midnight,
  requestEnd,
  retryScheduled,
} from './facts.fixture.ts';
import { renderPrometheus } from './exporters/prometheus.ts';
import { RetryMetrics } from './retry-metrics.ts';

interface Rule {
  readonly alert: string;
  readonly expr: string;
}

const read = (name: string) =>
  readFileSync(new URL(`../dashboards/${name}`, import.meta.url), 'utf8');
const alerts = parse(read('alerts.yml')) as { groups: { rules: Rule[] }[] };
const rules = alerts.groups.flatMap((group) => group.rules);
const dashboard = JSON.parse(read('grafana.json')) as {
  panels: { title: string; targets: { expr: string }[] }[];
  templating: { list: { definition?: string }[] };
};
/** Series that Prometheus itself writes for every target it scrapes. */
const byPrometheus = new Set(['up']);
const expressions = [
  ...rules.map(({ alert, expr }) => [alert, expr] as const),
  ...dashboard.panels.flatMap(({ title, targets }) =>
    targets.map(({ expr }) => [title, expr] as const),
  ),
  ...dashboard.templating.list.flatMap(({ definition }) =>
    definition === undefined ? [] : [['variable', definition] as const],
  ),
];

/** Everything that is rendered once something of each kind has happened: name to labels to values. */
function renderedSeries(): Map<string, Map<string, Set<string>>> {
  const metrics = new RetryMetrics({ now: () => midnight });
  metrics.record('attempt:end', attemptEnd({ outcome: 'failure', reason: 'tcp' }));
  metrics.record('retry:scheduled', retryScheduled());
  metrics.record('attempt:end', attemptEnd({ attempt: 1 }));
  metrics.record('request:end', requestEnd({ attemptCount: 2 }));
  metrics.record('circuit:transition', circuitTransition());
  const series = new Map<string, Map<string, Set<string>>>();
  for (const line of renderPrometheus(metrics).split('\n')) {
    const [, name, labels = ''] = /^(\w+)(?:\{(.*)\})? \S+$/.exec(line) ?? [];
    if (name === undefined) continue;
    const byLabel = series.get(name) ?? new Map<string, Set<string>>();
    series.set(name, byLabel);
    for (const [, label = '', value = ''] of labels.matchAll(/(\w+)="([^"]*)"/g)) {
      byLabel.set(label, (byLabel.get(label) ?? new Set()).add(value));
    }
  }
  return series;
}

describe('dashboards', () => {
  const series = renderedSeries();

  it.each(expressions)('every metric that "%s" names is rendered', (_, expression) => {
    const names = expression.match(/\bwhirl_\w+/g) ?? [];
    if (byPrometheus.has(/^\w+/.exec(expression)?.[0] ?? '')) return;
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) expect([...series.keys()]).toContain(name);
  });

  it.each(expressions)('every label and value that "%s" selects is rendered', (_, expression) => {
    for (const [, name = '', selectors = ''] of expression.matchAll(/(whirl_\w+)\{([^}]*)\}/g)) {
      const matchers = selectors.matchAll(/(\w+)(=~|=)"([^"]*)"/g);
      for (const [, label = '', , value = ''] of matchers) {
        if (label === 'job' || label === 'instance') continue;
        for (const each of value.split('|')) {
          expect([...(series.get(name)?.get(label) ?? [])], `${name} ${label}`).toContain(each);
        }
      }
    }
  });

  it.each(expressions)('every label that "%s" groups by is rendered', (_, expression) => {
    const groups = [...expression.matchAll(/by \(([^)]*)\)\s*\((?:rate\()?(whirl_\w+)/g)];
    for (const [, labels = '', name = ''] of groups) {
      for (const label of labels.split(', ')) {
        if (label === 'job' || label === 'instance') continue;
        expect([...(series.get(name)?.keys() ?? [])], name).toContain(label);
      }
    }
  });

  it('the alerts are about a server that is down, an empty pool, open circuits, retries, p95, budget refusals and targets', () => {
    expect(rules.map(({ alert }) => alert)).toEqual([
      'WhirlDown',
      'WhirlPoolEmpty',
      'WhirlMostCircuitsOpen',
      'WhirlManyRetries',
      'WhirlSlowRequests',
      'WhirlRetryBudgetSpent',
      'WhirlTargetDown',
    ]);
  });

  it('the dashboard shows every metric that is rendered', () => {
    const shown = new Set(expressions.flatMap(([, each]) => each.match(/\bwhirl_\w+/g) ?? []));
    const families = [...series.keys()].filter((name) => !/_(sum|count)$/.test(name));
    expect(families.filter((name) => !shown.has(name))).toEqual(['whirl_attempts_total']);
  });
});
