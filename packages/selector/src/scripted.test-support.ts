import { Selector, type SelectContext } from './index.ts';

/**
 * Candidates of adaptive(): `0`, `1` … have succeeded 20 times, 128 ms each (a power of two: means of it are exact),
 * the others were never tried. Draws are as they are told, and 0.5 after that.
 */
export function scripted(proved: number, ...untried: string[]) {
  const clock = { now: 0 };
  let script = [0];
  let drawn = 0;
  const random = () => {
    drawn++;
    return script.shift() ?? 0.5;
  };
  const selector = new Selector({ now: () => clock.now, random });
  const record = (id: string, outcome: 'success' | 'failure', count = 1, latencyMs = 128) => {
    for (let i = 0; i < count; i++) selector.record({ id, outcome, latencyMs });
  };
  for (let i = 0; i < proved; i++) {
    selector.add({ id: `${i}` });
    record(`${i}`, 'success', 20);
  }
  for (const id of untried) selector.add({ id });
  // The first pick takes in the candidates, in this order.
  selector.select();

  /** Draws these numbers in what is done, and returns how many it drew. */
  const drawing = (draws: readonly number[], what: () => void) => {
    script = [...draws];
    drawn = 0;
    what();
    script = [];
    return drawn;
  };
  const pickedFor = (ask: SelectContext, ...draws: number[]) => {
    let id = '';
    drawing(draws, () => (id = selector.select(ask)!.id));
    return id;
  };
  const picked = (...draws: number[]) => pickedFor({}, ...draws);
  /**
   * The warm ones, at least four and about `size`: each draw after a pick's first is a place among them. Twice as many
   * places as members meet one more as well.
   */
  const warm = (size: number) => {
    const places = Array.from({ length: 2 * size }, (_, i) => place(i, 2 * size));
    return new Set(places.map((each) => picked(0.5, ...Array.from({ length: 12 }, () => each))));
  };
  /** Time moves on to the second looks after 1 s, and those that became warm since are passed. */
  const passSecondLooks = () => {
    clock.now = 1000;
    picked(0.05);
  };
  return { clock, selector, record, drawing, picked, pickedFor, warm, passSecondLooks };
}

/** The draw that chooses a position among so many. */
export function place(position: number, size: number): number {
  return (position + 0.5) / size;
}
