/** What became of a call, and where it is counted. */
export type Verdict = typeof succeeded | typeof failed | typeof ignored;

// In a file of their own: esbuild then writes the numbers in place of the names.
export const succeeded = 0;
export const failed = 1;
export const ignored = 2;
