import { signal } from '@preact/signals';

export type DialogName = 'policy' | 'add' | 'send';

/** The dialog that is open. */
export const dialog = signal<DialogName | undefined>(undefined);

/** The proxy whose panel is open. */
export const selectedProxy = signal<string | undefined>(undefined);

/** Set while the open dialog asks whether its edits may be lost. */
export const isAsking = signal(false);

let hasEdits: () => boolean = () => false;

/** The open dialog tells whether closing it would lose something. */
export function guardEdits(edited: () => boolean): () => void {
  hasEdits = edited;
  return () => (hasEdits = () => false);
}

export function openDialog(name: DialogName): void {
  selectedProxy.value = undefined;
  dialog.value = name;
}

/** Closes the dialog, whatever was written in it. */
export function closeDialog(): void {
  isAsking.value = false;
  dialog.value = undefined;
  selectedProxy.value = undefined;
}

/** What Escape, Cancel and a press beside the dialog do: edits are asked about first. */
export function leaveDialog(): void {
  if (hasEdits()) isAsking.value = true;
  else closeDialog();
}
