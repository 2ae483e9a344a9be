import type { ComponentChildren } from 'preact';
import { useEffect, useId, useLayoutEffect, useRef } from 'preact/hooks';
import { closeDialog, guardEdits, isAsking, leaveDialog } from '../dialogs.ts';
import { Icon } from './icons.tsx';

export interface DialogProps {
  readonly title: ComponentChildren;
  readonly children: ComponentChildren;
  readonly name: string;
  /** Whether closing it would lose something. */
  readonly edited?: () => boolean;
}

/**
 * A panel at the side, above the page: keeps the focus inside, closes by Escape or outside, asks before it
 * drops edits, and gives the focus back.
 */
export function Dialog({ title, children, name, edited }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useLayoutEffect(() => {
    const panel = element.current;
    const before = document.activeElement as HTMLElement | null;
    const row = before?.closest<HTMLElement>('[data-proxy]')?.dataset['proxy'];
    panel?.showModal();
    return () => {
      panel?.close();
      // The table may have drawn the row again meanwhile.
      const again =
        row === undefined
          ? null
          : document.querySelector(`[data-proxy="${CSS.escape(row)}"] button`);
      const target = before?.isConnected === true ? before : (again as HTMLElement | null);
      target?.focus();
    };
  }, []);
  useEffect(() => (edited === undefined ? undefined : guardEdits(edited)));
  return (
    <dialog
      ref={element}
      class="panel"
      data-dialog={name}
      aria-labelledby={titleId}
      onKeyDown={(event) => {
        // A second `cancel` without a press in between could not be prevented.
        if (event.key !== 'Escape') return;
        event.preventDefault();
        leaveDialog();
      }}
      onCancel={(event) => {
        event.preventDefault();
        leaveDialog();
      }}
      onClick={(event) => {
        if (event.target === element.current) leaveDialog();
      }}
    >
      <div class="panel-body">
        <header>
          <h2 id={titleId}>{title}</h2>
          <button type="button" class="quiet square" aria-label="Close" onClick={leaveDialog}>
            <Icon name="cross" />
          </button>
        </header>
        {isAsking.value && <Ask />}
        {children}
      </div>
    </dialog>
  );
}

function Ask() {
  const keep = useRef<HTMLButtonElement>(null);
  useEffect(() => keep.current?.focus(), []);
  return (
    <div class="banner waiting" role="alert" data-banner="unsaved">
      <span>What you wrote is not saved.</span>
      <button ref={keep} type="button" onClick={() => (isAsking.value = false)}>
        Go on writing
      </button>
      <button type="button" class="danger" onClick={closeDialog}>
        Discard it
      </button>
    </div>
  );
}
