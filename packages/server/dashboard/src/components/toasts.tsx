import { dismiss, toasts } from '../toasts.ts';
import { Icon } from './icons.tsx';

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map(({ id, text, tone, action }) => (
        <div key={id} class={`toast ${tone}`}>
          <Icon name={tone === 'done' ? 'check' : 'warning'} />
          <span>{text}</span>
          {action !== undefined && (
            <button
              type="button"
              class="slim"
              onClick={() => {
                dismiss(id);
                action.run();
              }}
            >
              {action.label}
            </button>
          )}
          <button
            type="button"
            class="quiet square"
            aria-label="Dismiss"
            onClick={() => dismiss(id)}
          >
            <Icon name="cross" />
          </button>
        </div>
      ))}
    </div>
  );
}
