/** No descriptors or buffers are left on this machine. */
const localCodes = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM']);

/** Whether an error, or what caused it, speaks of this machine's limits. */
export function isLocal(error: unknown): boolean {
  for (let each = error; each instanceof Error; each = each.cause) {
    if (localCodes.has((each as NodeJS.ErrnoException).code ?? '')) return true;
  }
  return false;
}
