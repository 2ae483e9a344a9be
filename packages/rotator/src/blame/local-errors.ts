/** Errors that speak of this machine: no descriptors, ports or buffers left, a firewall, a resolver that is down. */
const localCodes = new Set([
  'EMFILE',
  'ENFILE',
  'ENOBUFS',
  'ENOMEM',
  'EADDRNOTAVAIL',
  'EACCES',
  'EPERM',
  'EAI_AGAIN',
]);

/** Errors that speak of this machine's network, or of one address that it cannot reach. */
const networkCodes = new Set(['ENETDOWN', 'ENETUNREACH']);

/** Whether an error, or what caused it, speaks of this machine. `network`: only if nothing else works either. */
export function localError(error: unknown): 'local' | 'network' | undefined {
  for (
    let each = error, depth = 0;
    each instanceof Error && depth < 4;
    each = each.cause, depth++
  ) {
    const { code } = each as NodeJS.ErrnoException;
    if (code === undefined) continue;
    if (localCodes.has(code)) return 'local';
    if (networkCodes.has(code)) return 'network';
  }
  return undefined;
}
