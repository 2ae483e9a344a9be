import net from 'node:net';

/** Below the range from which Linux takes the ports of outgoing connections, a part for each worker. */
const base = 20_000 + 500 * (Number(process.env['VITEST_POOL_ID'] ?? '0') % 24);
let next = base;

function listens(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}

/** A port that is free on both loopback addresses and that nothing else is given. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = next++;
    if (port >= base + 500) throw new Error(`no free port from ${base} on`);
    if ((await listens('127.0.0.1', port)) && (await listens('::1', port))) return port;
  }
}
