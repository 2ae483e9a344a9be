import { answeredAt, clock, connection, isSignedIn, signIn, type Connection } from '../store.ts';
import { formatSpan } from '../format.ts';
import { nextTheme, theme } from '../theme.ts';
import { openDialog } from '../dialogs.ts';
import { Icon } from './icons.tsx';
import { Toasts } from './toasts.tsx';

const words: Readonly<Record<Connection, string>> = {
  connecting: 'Connecting…',
  live: 'Live',
  polling: 'Polling',
  reconnecting: 'Reconnecting…',
  unauthorized: 'Token needed',
};

const themeWords = { system: 'as the system', light: 'light', dark: 'dark' } as const;
const themeIcons = { system: 'auto', light: 'sun', dark: 'moon' } as const;

export function Header() {
  const open = connection.value !== 'unauthorized';
  return (
    <header class="top">
      <h1>
        <svg class="logo" viewBox="0 0 32 32" aria-hidden="true">
          <path d="M16 16c0-3 4.600-3 4.600.6 0 5-9.200 5.400-9.200-1 0-7.400 13.400-8.400 14.200.6 .8 10-14 14.400-18.600 5" />
        </svg>
        whirl
      </h1>
      <Status />
      <Toasts />
      <nav aria-label="Actions">
        {open && (
          <>
            <button type="button" class="quiet" onClick={() => openDialog('policy')}>
              <Icon name="sliders" />
              <span class="wide">Retry policy</span>
              <span class="small">Policy</span>
            </button>
            <button type="button" class="quiet" onClick={() => openDialog('add')}>
              <Icon name="plus" />
              <span class="wide">Add proxies</span>
              <span class="small">Add</span>
            </button>
            <button type="button" class="quiet" onClick={() => openDialog('send')}>
              <Icon name="arrow" />
              <span class="wide">Send a request</span>
              <span class="small">Send</span>
            </button>
            <a class="button quiet" href="docs/">
              API
            </a>
            {isSignedIn() && (
              <button type="button" class="quiet wide" onClick={() => signIn(undefined)}>
                Forget token
              </button>
            )}
          </>
        )}
        <button
          type="button"
          class="quiet square"
          aria-label={`Colours: ${themeWords[theme.value]}. Change`}
          title={`Colours: ${themeWords[theme.value]}`}
          onClick={nextTheme}
        >
          <Icon name={themeIcons[theme.value]} />
        </button>
      </nav>
    </header>
  );
}

function Status() {
  const state = connection.value;
  return (
    <p class={`status ${state}`} role="status" data-connection={state}>
      <span class="dot" aria-hidden="true" />
      {words[state]}
      {state === 'reconnecting' && <Age />}
    </p>
  );
}

function Age() {
  const at = answeredAt.value;
  if (at === undefined) return null;
  void clock.value;
  return (
    <span class="remark" aria-hidden="true">
      figures are {formatSpan(Date.now() - at)} old
    </span>
  );
}
