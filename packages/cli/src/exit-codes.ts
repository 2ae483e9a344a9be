/** Exit codes of every command; those of `whirl get` beside them are curl's, see `get/exit-code.ts`. */
export const exitCodes = {
  ok: 0,
  /**
   * `check`: fewer proxies work than `--min-ok` asks for; `bench`: no request succeeded; `serve`: it could not start. Of
   * all but `get` and `serve`: the output could not be written.
   */
  failed: 1,
  /** The command line, or a list, cannot be used. */
  usage: 2,
  /** Ctrl-C: 128 + SIGINT, as shells have it. */
  interrupted: 130,
} as const;
