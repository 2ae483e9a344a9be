import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { closeDialog } from '../dialogs.ts';
import { Icon } from './icons.tsx';

export interface DialogProps {
  readonly title: ComponentChildren;
  readonly children: ComponentChildren;
  readonly name: string;
}

/** A panel at the side, above the page: keeps the focus inside, closes by Escape or outside. */
export function Dialog({ title, children, name }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    const panel = element.current;
    panel?.showModal();
    return () => panel?.close();
  }, []);
  return (
    <dialog
      ref={element}
      class="panel"
      data-dialog={name}
      aria-labelledby={titleId}
      onCancel={closeDialog}
      onClick={(event) => {
        if (event.target === element.current) closeDialog();
      }}
    >
      <div class="panel-body">
        <header>
          <h2 id={titleId}>{title}</h2>
          <button type="button" class="quiet square" aria-label="Close" onClick={closeDialog}>
            <Icon name="cross" />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}
