import type { Reporter, TestModule } from 'vitest/node';
import { ways } from './front.ts';
import type { Entry } from './matrix.ts';

/** Prints what came of each cell, a table for each way, and why cells show –. Empty ones were not selected. */
export default class TableReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const entries: Entry[] = [];
    for (const module of modules) {
      for (const test of module.children.allTests()) entries.push(...(test.meta().entries ?? []));
    }
    const placed: string[] = [];
    for (const { column, cell } of entries) placed[column] = cell;
    // Without holes, as they are when only some tests are run.
    const columns = Object.values(placed);
    const fronts = [...new Set(entries.map(({ front }) => front))];
    for (const { name: way } of ways) {
      const marks = new Map<string, string>();
      for (const each of entries) {
        if (each.way === way) marks.set(`${each.front} ${each.cell}`, each.mark);
      }
      const rows = fronts.map((front) => [
        front,
        ...columns.map((cell) => marks.get(`${front} ${cell}`) ?? ''),
      ]);
      console.log(`\n### ${way}\n\n${table(['', ...columns], rows)}`);
    }
    console.log(`\n### Cells with –\n\n${reasons(entries)}`);
  }
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, at) =>
    Math.max(...[head, ...rows].map((row) => (row[at] ?? '').length)),
  );
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  return [line(head), rule, ...rows.map(line)].join('\n');
}

function reasons(entries: readonly Entry[]): string {
  const byReason = new Map<string, { count: number; fronts: Set<string>; cells: Set<string> }>();
  for (const { front, cell, because } of entries) {
    if (because === undefined) continue;
    const where = byReason.get(because) ?? { count: 0, fronts: new Set(), cells: new Set() };
    where.count++;
    where.fronts.add(front);
    where.cells.add(cell);
    byReason.set(because, where);
  }
  return [...byReason]
    .map(([because, { count, fronts, cells }]) => {
      return `- ${because}: ${count} cells (${few(cells, 'columns')}; ${few(fronts, 'proxies')})`;
    })
    .join('\n');
}

function few(names: ReadonlySet<string>, what: string): string {
  return names.size > 4 ? `${names.size} ${what}` : [...names].join(', ');
}
