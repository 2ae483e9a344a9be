import type { Gateway } from '@whirl/gateway';
import { z } from 'zod';

const count = (description: string) => z.int().min(0).meta({ description });

export const gatewaySchema = z
  .strictObject({
    address: z.string().meta({ description: 'Where it listens, host:port.' }),
    needs_password: z.boolean().meta({
      description: 'Whether a client needs a name and a password (WHIRL_GATEWAY_AUTH).',
    }),
    connections: count('Connections of clients, open now.'),
    open_tunnels: count('Tunnels open now.'),
    tunnels: count('Tunnels granted since the start.'),
    requests: count('Requests in absolute form since the start.'),
    refused: count('Clients refused since the start, before anything was dialled.'),
    failed: count('Tunnels that no proxy opened, since the start.'),
    lost: count('Tunnels that broke between their 200 and the first byte of the target.'),
    failovers: count(
      'Proxies that failed a tunnel which another one then opened, unseen by the client.',
    ),
    failovers_last_hour: count('Those of them within the last 60 minutes.'),
    bytes_up: count('Bytes from clients through tunnels.'),
    bytes_down: count('Bytes to clients through tunnels.'),
  })
  .meta({ id: 'Gateway' });

export function gatewayToWire(gateway: Gateway | undefined): z.infer<typeof gatewaySchema> | null {
  if (gateway === undefined) return null;
  const { host, port } = gateway.address;
  const stats = gateway.stats();
  return {
    address: `${host.includes(':') ? `[${host}]` : host}:${port}`,
    needs_password: gateway.needsPassword,
    connections: stats.connections,
    open_tunnels: stats.openTunnels,
    tunnels: stats.tunnels,
    requests: stats.requests,
    refused: stats.refused,
    failed: stats.failed,
    lost: stats.lost,
    failovers: stats.failovers,
    failovers_last_hour: stats.failoversLastHour,
    bytes_up: stats.bytesUp,
    bytes_down: stats.bytesDown,
  };
}
