export interface Welcome {
  /** Where the server listens. */
  readonly address: string;
  readonly dashboard: boolean;
  /** What the demo's traffic asks for, when there is a demo. */
  readonly demoTargetUrl?: string | undefined;
}

/** What a person at a terminal wants to know first, in one line. */
export function welcome({ address, dashboard, demoTargetUrl }: Welcome): string {
  return [
    `whirl: ${address} ${dashboard ? '(dashboard)' : '(no dashboard)'}`,
    `API at ${address}/docs`,
    ...(demoTargetUrl === undefined ? [] : [`demo target ${demoTargetUrl}`]),
  ].join(', ');
}
