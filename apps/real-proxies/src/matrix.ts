import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Cell } from './cells/cell.ts';
import { cells } from './cells/index.ts';
import { connectionsTo } from './connections.ts';
import { lackOf, ways, type Front, type Lack, type Way } from './front.ts';
import { Stage } from './stage.ts';

/** What the reporter makes its tables of. */
export interface Entry {
  readonly front: string;
  readonly way: string;
  readonly cell: string;
  /** The cell's place among all. */
  readonly column: number;
  /** `ok`, what the proxy said, or `–` with the reason. */
  readonly mark: string;
  readonly because?: string;
}

declare module 'vitest' {
  interface TaskMeta {
    entries?: Entry[];
  }
}

/** Less than the four seconds after which undici closes an idle connection by itself. */
const closedWithinMs = 2000;

/** Every cell through every front in every way that it offers. */
export function matrix(fronts: readonly Front[]): void {
  for (const front of fronts) {
    describe(front.name, () => {
      let stage: Stage;
      beforeAll(async () => {
        stage = await Stage.open(front);
      });
      afterAll(() => stage?.close());
      const notRun: Entry[] = [];
      for (const way of ways) {
        for (const cell of cells) {
          const lack = lackOf(front, way.name, cell.name);
          const because =
            cell.without?.(front, way) ??
            (mayRun(front, way, cell, lack) ? undefined : lack?.because);
          if (because === undefined) one(() => stage, front, way, cell, lack);
          else notRun.push({ ...entryOf(front, way, cell), mark: '–', because });
        }
      }
      it('leaves no process and no connection behind when it is stopped', async ({ task }) => {
        task.meta.entries = notRun;
        await stage.stopProxies();
        expect(stage.daemon.running).toBe(false);
        await expect.poll(() => stage.targets.openSockets).toBe(0);
      });
    });
  }
}

/**
 * What the software lacks is asked for where that is possible, to see that whirl sees what curl sees. Of a
 * way that is not offered at all, the first cell stands for the others.
 */
function mayRun(front: Front, way: Way, cell: Cell, lack: Lack | undefined): boolean {
  if (lack === undefined) return true;
  if (front.scheme.startsWith('socks') && !way.tunnel) return false;
  return lack.cells === undefined ? cell === cells[0] : cell.comparable;
}

function entryOf(front: Front, way: Way, cell: Cell): Omit<Entry, 'mark'> {
  return { front: front.name, way: way.name, cell: cell.name, column: cells.indexOf(cell) };
}

function one(
  stageOf: () => Stage,
  front: Front,
  way: Way,
  cell: Cell,
  lack: Lack | undefined,
): void {
  it(`${way.name}: ${cell.name}${lack === undefined ? '' : ', as curl'}`, async ({ task }) => {
    const stage = stageOf();
    task.meta.entries = [{ ...entryOf(front, way, cell), mark: 'FAILED' }];
    // Of tunnels nothing may be left at the target either. What proxies keep of the absolute form is theirs.
    const before = way.tunnel ? stage.targets.openSockets : Infinity;
    let mark: string;
    try {
      mark = await cell.run(stage, way, lack !== undefined);
    } finally {
      await stage.closeRotators();
    }
    await expect.poll(() => connectionsTo(stage.port), { timeout: closedWithinMs }).toBe(0);
    await expect.poll(() => stage.targets.openSockets).toBeLessThanOrEqual(before);
    task.meta.entries = [
      {
        ...entryOf(front, way, cell),
        ...(lack === undefined
          ? { mark }
          : { mark: '–', because: `${lack.because} (${mark}, as curl)` }),
      },
    ];
  });
}
