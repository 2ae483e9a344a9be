import { signal } from '@preact/signals';

export type DialogName = 'policy' | 'add';

/** The dialog that is open. */
export const dialog = signal<DialogName | undefined>(undefined);

/** The proxy whose panel is open. */
export const selectedProxy = signal<string | undefined>(undefined);

export function openDialog(name: DialogName): void {
  selectedProxy.value = undefined;
  dialog.value = name;
}

export function closeDialog(): void {
  dialog.value = undefined;
  selectedProxy.value = undefined;
}
