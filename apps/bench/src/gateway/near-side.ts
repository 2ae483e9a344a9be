// Child process: the server that is measured. It tells its CPU time and memory when it is asked.
import http from 'node:http';
import net from 'node:net';
import { createGateway } from '@whirl/gateway';
import { ProxyRotator } from '@whirl/rotator';
import { Server } from 'proxy-chain';

/** What stands between clients and the upstream proxy. */
export type Kind = 'pipe' | 'whirl' | 'proxy-chain';

/** Microseconds of CPU and bytes of memory of the server. */
export interface Cost {
  readonly cpuUs: number;
  readonly rss: number;
}

/** The least that a server of Node's can do: a CONNECT is sent on, and two sockets are piped. */
async function startPipe(upstream: number): Promise<number> {
  const server = http.createServer();
  server.on('connect', (request, client: net.Socket, head: Buffer) => {
    const ask = http.request({
      port: upstream,
      host: '127.0.0.1',
      method: 'CONNECT',
      path: request.url ?? '',
      agent: false,
    });
    ask.on('connect', (_response, socket: net.Socket) => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      if (head.length > 0) socket.write(head);
      client.pipe(socket).pipe(client);
      socket.on('error', () => client.destroy()).on('close', () => client.destroy());
      client.on('error', () => socket.destroy()).on('close', () => socket.destroy());
    });
    ask.on('error', () => client.destroy()).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', 4096, resolve));
  return (server.address() as net.AddressInfo).port;
}

async function startWhirl(upstream: number): Promise<number> {
  const rotator = new ProxyRotator({ proxies: [`http://127.0.0.1:${upstream}`] });
  const gateway = createGateway(rotator, { port: 0, maxPerClient: 10_000 });
  return (await gateway.listen()).port;
}

async function startProxyChain(upstream: number): Promise<number> {
  const upstreamProxyUrl = `http://127.0.0.1:${upstream}`;
  const server = new Server({ port: 0, prepareRequestFunction: () => ({ upstreamProxyUrl }) });
  await server.listen();
  return server.port;
}

const starts: Record<Kind, (upstream: number) => Promise<number>> = {
  pipe: startPipe,
  whirl: startWhirl,
  'proxy-chain': startProxyChain,
};

const [kind, upstream] = process.argv.slice(2);
if (kind !== undefined && process.send !== undefined) {
  process.send({ port: await starts[kind as Kind](Number(upstream)) });
  process.on('message', () => {
    (globalThis as { gc?: () => void }).gc?.();
    const { user, system } = process.cpuUsage();
    process.send?.({ cpuUs: user + system, rss: process.memoryUsage.rss() } satisfies Cost);
  });
  process.on('disconnect', () => process.exit());
}
