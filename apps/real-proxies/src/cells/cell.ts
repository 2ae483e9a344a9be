import type { Front, Way } from '../front.ts';
import type { Stage } from '../stage.ts';

/** One thing to do through a front. */
export interface Cell {
  /** The column's heading. */
  readonly name: string;
  /** Why it does not apply here. Such a cell is not run. */
  readonly without?: (front: Front, way: Way) => string | undefined;
  /**
   * Does it, and resolves to the mark in the table. `lacking`: the software cannot do it, and whirl has
   * only to see what curl sees.
   */
  run(stage: Stage, way: Way, lacking: boolean): Promise<string>;
  /** It can be asked for although the software lacks it. */
  readonly comparable: boolean;
}
