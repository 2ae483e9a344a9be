import { SingleBar } from 'cli-progress';
import type { Output } from './terminal.ts';

/** Cells of the bar, where the terminal is wide enough. */
const barCells = 24;

export interface Bar {
  update(done: number, text: string): void;
  /** Takes it off the screen. */
  stop(): void;
}

/** A bar with a text beside it on a terminal, redrawn at most ten times a second and by itself every second. */
export function startBar(stream: Output, total: number, text: string): Bar {
  const bar = new SingleBar({
    stream: stream as NodeJS.WritableStream,
    format: (_options, { progress }, payload: { text: string }) => {
      const columns = stream.columns ?? 80;
      const cells = columns >= 60 ? barCells : 0;
      const full = Math.round(progress * cells);
      const drawn = cells === 0 ? '' : `${'█'.repeat(full)}${'░'.repeat(cells - full)} `;
      return (drawn + payload.text).slice(0, columns);
    },
    hideCursor: true,
    clearOnComplete: true,
    gracefulExit: false,
    fps: 10,
  });
  bar.start(total, 0, { text });
  return {
    update: (done, next) => bar.update(done, { text: next }),
    stop: () => bar.stop(),
  };
}
