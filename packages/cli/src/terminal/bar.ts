import { SingleBar } from 'cli-progress';
import type { Output } from './terminal.ts';

/** Cells of the bar, where the terminal is wide enough. */
const barCells = 24;

export interface Bar {
  update(done: number, text: string): void;
  /** Writes a line above it. */
  log(line: string): void;
  /** Takes it off the screen. */
  stop(): void;
}

/** Where the bar begins from now on: cli-progress goes back there at the end. */
const saveCursor = '\u001B7';

/** A bar with a text beside it on a terminal, redrawn at most ten times a second and by itself every second. */
export function startBar(stream: Output, total: number, text: string): Bar {
  let drawnCells = 0;
  const bar = new SingleBar({
    stream: stream as NodeJS.WritableStream,
    format: (_options, { progress }, payload: { text: string }) => {
      const columns = stream.columns ?? 80;
      const cells = columns >= 60 ? barCells : 0;
      const full = Math.round(progress * cells);
      const drawn = cells === 0 ? '' : `${'█'.repeat(full)}${'░'.repeat(cells - full)} `;
      const line = (drawn + payload.text).slice(0, columns);
      drawnCells = line.length;
      return line;
    },
    hideCursor: true,
    clearOnComplete: true,
    gracefulExit: false,
    fps: 10,
  });
  /** A terminal that has become narrower has broken the line, and stands in the last of its parts. */
  const onResize = () => {
    const rows = Math.floor(Math.max(0, drawnCells - 1) / (stream.columns ?? 80));
    if (rows > 0) stream.write(`\r\u001B[${rows}A\u001B[J${saveCursor}`);
  };
  const stop = () => {
    process.off('exit', stop);
    stream.off('resize', onResize);
    bar.stop();
  };
  stream.on('resize', onResize);
  // However the process ends, the cursor is shown again.
  process.on('exit', stop);
  bar.start(total, 0, { text });
  return {
    update: (done, next) => bar.update(done, { text: next }),
    log: (line) => void stream.write(`\r\u001B[K${line}\n${saveCursor}`),
    stop,
  };
}
