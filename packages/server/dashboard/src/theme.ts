import { effect, signal } from '@preact/signals';

export type Theme = 'system' | 'light' | 'dark';

const key = 'whirl-theme';
const themes: readonly Theme[] = ['system', 'light', 'dark'];

/** What the operator chose; "system" follows the browser. */
export const theme = signal<Theme>(read());

/** system → light → dark → system. */
export function nextTheme(): void {
  theme.value = themes[(themes.indexOf(theme.value) + 1) % themes.length] ?? 'system';
}

effect(() => {
  document.documentElement.dataset['theme'] = theme.value;
  try {
    localStorage.setItem(key, theme.value);
  } catch {
    // Without storage the choice lasts until the page is left.
  }
});

function read(): Theme {
  try {
    const stored = localStorage.getItem(key);
    return themes.find((each) => each === stored) ?? 'system';
  } catch {
    return 'system';
  }
}
