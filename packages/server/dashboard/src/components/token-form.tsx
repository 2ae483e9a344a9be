import { useSignal } from '@preact/signals';
import { signIn, tokenRefused } from '../store.ts';

/** Shown when the server demands a bearer token. */
export function TokenForm() {
  const token = useSignal('');
  return (
    <main class="alone">
      <form
        class="card token"
        onSubmit={(event) => {
          event.preventDefault();
          const text = token.value.trim();
          if (text !== '') signIn(text);
        }}
      >
        <h2>This server wants a token</h2>
        <p class="muted">
          The one it was started with, as WHIRL_API_TOKEN. It is kept until this tab is closed.
        </p>
        <div class={`field ${tokenRefused.value ? 'wrong' : ''}`}>
          <label for="token">Bearer token</label>
          <input
            id="token"
            type="password"
            autocomplete="off"
            autofocus
            aria-invalid={tokenRefused.value}
            aria-describedby="token-error"
            value={token.value}
            onInput={(event) => (token.value = event.currentTarget.value)}
          />
          <p class="error" id="token-error" role="alert">
            {tokenRefused.value && 'The server did not accept this token.'}
          </p>
        </div>
        <button type="submit" class="primary" disabled={token.value.trim() === ''}>
          Continue
        </button>
      </form>
    </main>
  );
}
