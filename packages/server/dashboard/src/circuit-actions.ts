import { forceOpenCircuit, resetCircuit } from './store.ts';
import { attempt, say } from './toasts.ts';

/** Closes a circuit and lifts an override. */
export function reset(id: string): void {
  void attempt(async () => {
    await resetCircuit(id);
    say(`Circuit of ${id} is closed again.`);
  });
}

/** Takes a proxy out of rotation until its circuit is reset. */
export function forceOpen(id: string): void {
  void attempt(async () => {
    await forceOpenCircuit(id);
    const undo = { label: 'Undo', run: () => reset(id) };
    say(`Circuit of ${id} is held open.`, 'done', undo);
  });
}
