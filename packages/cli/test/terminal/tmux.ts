import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { use } from '../support/whirl.ts';

export const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

/** A real terminal with a shell in it. */
export interface Screen {
  /** Types a line and Enter. */
  run(line: string): void;
  /** Presses keys, as tmux names them: `C-c`, `Tab`. */
  press(...keys: string[]): void;
  resize(columns: number, rows: number): void;
  /** What stands on the screen; `colours` keeps its escapes. */
  text(options?: { colours?: boolean }): string;
  /** Whether the cursor is shown. */
  cursor(): boolean;
  close(): void;
}

/** Starts a shell on a terminal of its own, with the command `whirl`. */
export function openScreen({
  columns = 100,
  rows = 30,
  env = {},
  shell = 'bash --norc --noprofile',
}: {
  columns?: number;
  rows?: number;
  env?: Readonly<Record<string, string>>;
  shell?: string;
} = {}): Screen {
  const folder = mkdtempSync(join(tmpdir(), 'whirl-terminal-'));
  const { NO_COLOR: _no, FORCE_COLOR: _force, CI: _ci, TMUX: _tmux, ...rest } = process.env;
  const tmux = (...args: string[]) =>
    execFileSync('tmux', ['-S', join(folder, 'socket'), '-f', '/dev/null', ...args], {
      encoding: 'utf8',
      env: { ...rest, TERM: 'xterm-256color', ...env },
    });
  tmux('new-session', '-d', '-x', String(columns), '-y', String(rows), shell);
  const screen: Screen = {
    run: (line) => void tmux('send-keys', '-l', line) + tmux('send-keys', 'Enter'),
    press: (...keys) => void tmux('send-keys', ...keys),
    resize: (x, y) => void tmux('resize-window', '-x', String(x), '-y', String(y)),
    text: ({ colours = false } = {}) => tmux('capture-pane', '-p', ...(colours ? ['-e'] : [])),
    cursor: () => tmux('display-message', '-p', '#{cursor_flag}').trim() === '1',
    close: () => {
      tmux('kill-server');
      rmSync(folder, { recursive: true, force: true });
    },
  };
  use(screen);
  screen.run(`PS1='$ '; whirl() { '${process.execPath}' '${main}' "$@"; }; clear`);
  return screen;
}
