export interface Welcome {
  /** Where the API and the page are, when there is an API. */
  readonly url: string | undefined;
  readonly dashboard: boolean;
  /** What the demo's traffic asks for, when there is a demo. */
  readonly demoTargetUrl?: string | undefined;
  /** Proxies in the pool. */
  readonly proxies: number;
  /** Where the gateway listens, `host:port`, when there is one. */
  readonly gateway?: string | undefined;
  /** A command that sends a request through the gateway. */
  readonly curl?: string | undefined;
}

/** What a person at a terminal wants to know first, and what to try. */
export function welcome(about: Welcome): string {
  const { url, dashboard, demoTargetUrl, proxies, gateway, curl } = about;
  const pool = `${proxies} ${proxies === 1 ? 'proxy' : 'proxies'}`;
  const line = [
    ...(url === undefined
      ? ['whirl: no API']
      : [`whirl: ${url} ${dashboard ? '(dashboard)' : '(no dashboard)'}`, `API at ${url}/docs`]),
    ...(gateway === undefined ? [] : [`proxy at http://${gateway}`]),
    demoTargetUrl === undefined ? pool : `demo of ${pool}, its target is ${demoTargetUrl}`,
  ].join(', ');
  return curl === undefined ? line : `${line}\ntry: ${curl}`;
}
