// Prometheus: a rotator's metrics, served as text and scraped.
import { renderPrometheus } from '@whirl/metrics/prometheus';
import { ProxyRotator } from '@whirl/rotator';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onStage, say } from './stage.ts';

await onStage(
  [{ kind: 'ok' }, { kind: 'mix', parts: [{ ratio: 0.3, behaviour: { kind: 'reset' } }] }],
  async ({ target, urls }) => {
    const rotator = new ProxyRotator({ proxies: urls, retryPolicy: { failoverDelay: 'none' } });
    const server = createServer((_, response) => {
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
      response.end(renderPrometheus(rotator.getRetryMetrics()));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

    for (let i = 0; i < 50; i++) await (await rotator.get(target.url)).body.dump();

    const { port } = server.address() as AddressInfo;
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    const wanted = /^whirl_(requests_total|requests_succeeded_total|retries_total|proxies)/;
    for (const line of text.split('\n')) if (wanted.test(line)) say(line);
    server.close();
    server.closeAllConnections();
    await rotator.close();
  },
);
