import { say } from '../toasts.ts';

/** A command to paste into a terminal. */
export function Command({ text }: { readonly text: string }) {
  const copy = () =>
    navigator.clipboard.writeText(text).then(
      () => say('Copied.'),
      () => say('The browser does not let this page copy: select the command.', 'failed'),
    );
  return (
    <span class="command">
      <code>{text}</code>
      {/* Without TLS a browser lends its clipboard to pages of this machine alone. */}
      {isSecureContext && (
        <button
          type="button"
          class="quiet slim"
          aria-label="Copy the command"
          onClick={() => void copy()}
        >
          Copy
        </button>
      )}
    </span>
  );
}
