// Child process: an upstream proxy that only pipes, and a target that sends everything back, or 1 MiB for each "m".
import http from 'node:http';
import net from 'node:net';

const mebibyte = Buffer.alloc(1024 * 1024, 97);
const target = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
  socket.on('error', () => socket.destroy()).on('end', () => socket.end());
  socket.on('data', (chunk: Buffer) => {
    if (chunk[0] !== 0x6d) socket.write(chunk);
    else for (const _ of chunk) socket.write(mebibyte);
  });
});
const proxy = http.createServer();
proxy.on('connect', (request, socket: net.Socket, head: Buffer) => {
  const [host = '', port] = (request.url ?? '').split(':');
  const upstream = net.connect({ port: Number(port), host, noDelay: true }, () => {
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    if (head.length > 0) upstream.write(head);
    socket.pipe(upstream).pipe(socket);
  });
  upstream.on('error', () => socket.destroy()).on('close', () => socket.destroy());
  socket.on('error', () => upstream.destroy()).on('close', () => upstream.destroy());
});
const listen = (server: net.Server) =>
  new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', 4096, () => resolve((server.address() as net.AddressInfo).port));
  });
process.send?.({ target: await listen(target), proxy: await listen(proxy) });
process.on('disconnect', () => process.exit());
