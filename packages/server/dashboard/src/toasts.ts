import { signal } from '@preact/signals';

export interface Toast {
  readonly id: number;
  readonly text: string;
  readonly tone: 'done' | 'failed';
  readonly action?: { readonly label: string; readonly run: () => void };
}

const shownMs = 8000;
let lastId = 0;

export const toasts = signal<readonly Toast[]>([]);

/** Says what was done, or why it was not; goes away by itself. */
export function say(text: string, tone: Toast['tone'] = 'done', action?: Toast['action']): void {
  const id = ++lastId;
  const toast = action === undefined ? { id, text, tone } : { id, text, tone, action };
  toasts.value = [...toasts.value.slice(-2), toast];
  setTimeout(() => dismiss(id), shownMs);
}

export function dismiss(id: number): void {
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
}

/** Runs an action of the operator; what goes wrong is said. */
export async function attempt(action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    say(error instanceof Error ? error.message : String(error), 'failed');
  }
}
