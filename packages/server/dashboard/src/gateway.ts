import { formatNumber } from './format.ts';
import type { WireGateway } from './wire.ts';

/** Hosts that stand for every address of the server: it is reached there as the page is. */
const anyHost = /^(0\.0\.0\.0|\[::\])$/;

/** Where a client of this page's machine reaches the gateway. */
export function gatewayUrl({ address }: WireGateway, pageHost: string): string {
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon);
  return `http://${anyHost.test(host) ? pageHost : host}${address.slice(colon)}`;
}

/** A command to paste: one request through the gateway. */
export function curlCommand(gateway: WireGateway, pageHost: string, target: string): string {
  const user = gateway.needs_password ? '-U name:password ' : '';
  return `curl -x ${gatewayUrl(gateway, pageHost)} ${user}${target}`;
}

/** What clients did not see. */
export function failoversText({ failovers_last_hour: passed }: WireGateway): string {
  const were = passed === 1 ? 'was' : 'were';
  return `${formatNumber(passed, 'dead proxy', 'dead proxies')} ${were} passed unseen in the last hour.`;
}
