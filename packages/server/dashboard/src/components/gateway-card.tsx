import { curlCommand, gatewayUrl, failoversText } from '../gateway.ts';
import { formatBytes, formatCount } from '../format.ts';
import { status } from '../overview.ts';
import type { WireGateway } from '../wire.ts';
import { Command } from './command.tsx';

/** The proxy server over the pool: where it is, and what went through it. */
export function GatewayCard() {
  const gateway = status.value?.gateway;
  // An older server does not tell.
  if (gateway === undefined) return null;
  return (
    <section class="card gateway" aria-labelledby="gateway-title" data-gateway={stateOf(gateway)}>
      <header>
        <h2 id="gateway-title">Gateway</h2>
        {gateway !== null && <code>{gatewayUrl(gateway, location.hostname)}</code>}
      </header>
      {gateway === null ? (
        <p class="empty-line muted">
          There is none: it is switched off, or its port was in use at the start (
          <code>WHIRL_GATEWAY</code>, <code>WHIRL_GATEWAY_PORT</code>).
        </p>
      ) : (
        <Traffic gateway={gateway} />
      )}
    </section>
  );
}

function stateOf(gateway: WireGateway | null): string {
  if (gateway === null) return 'off';
  return gateway.tunnels + gateway.requests + gateway.failed === 0 ? 'unused' : 'used';
}

function Traffic({ gateway }: { readonly gateway: WireGateway }) {
  const target = status.value?.demo_target ?? 'http://example.com/';
  if (stateOf(gateway) === 'unused') {
    return (
      <div class="empty-line">
        <p class="muted">
          A proxy for curl, browsers and every other client. Nothing has come through it yet:
        </p>
        <Command text={curlCommand(gateway, location.hostname, target)} />
      </div>
    );
  }
  return (
    <>
      <dl class="figures">
        <Figure name="Open tunnels">{formatCount(gateway.open_tunnels)}</Figure>
        <Figure name="Tunnels so far">{formatCount(gateway.tunnels)}</Figure>
        <Figure name="No proxy opened">{formatCount(gateway.failed)}</Figure>
        <Figure name="Plain requests">{formatCount(gateway.requests)}</Figure>
        <Figure name="Sent">{formatBytes(gateway.bytes_up)}</Figure>
        <Figure name="Received">{formatBytes(gateway.bytes_down)}</Figure>
      </dl>
      {gateway.failovers > 0 && (
        <p class="foot">
          {failoversText(gateway)}{' '}
          <span class="muted">{formatCount(gateway.failovers)} since the start.</span>
        </p>
      )}
    </>
  );
}

function Figure({ name, children }: { readonly name: string; readonly children: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
