const key = 'whirl-token';

/**
 * The bearer token lives as long as the tab. A browser that refuses storage keeps it for as long
 * as the page.
 */
let held: string | undefined = read();

export function currentToken(): string | undefined {
  return held;
}

export function keepToken(token: string | undefined): void {
  held = token;
  try {
    if (token === undefined) sessionStorage.removeItem(key);
    else sessionStorage.setItem(key, token);
  } catch {
    // Without storage the token is asked for again after a reload.
  }
}

function read(): string | undefined {
  try {
    return sessionStorage.getItem(key) ?? undefined;
  } catch {
    return undefined;
  }
}
