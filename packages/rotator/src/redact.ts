const hostPort = /^(?:\[[0-9a-f:.]+\]|[a-z0-9_.-]+):\d{1,5}$/i;

/** A URL's text as it may be shown: whatever could be a password is hidden. */
export function redact(text: string): string {
  const [, scheme = '', rest = ''] = /^([a-z][a-z0-9+.-]*:\/\/)?([^]*)$/i.exec(text) ?? [];
  const at = rest.lastIndexOf('@');
  if (at !== -1) {
    const right = rest.slice(at + 1).replace(/[/?#][^]*$/, '');
    // `host:port@user:pass` is written too: then the right side is the secret one.
    const shown = hostPort.test(right) && !hostPort.test(rest.slice(0, at)) ? right : '***';
    return `${scheme}***@${shown}`;
  }
  if (/^[^:\s]{0,100}(:\d{0,5})?\/?$/.test(rest) || hostPort.test(rest)) return scheme + rest;
  return `${scheme}${rest.slice(0, Math.max(0, rest.indexOf(':'))).slice(0, 100)}:***`;
}
