// Circuit monitoring: a proxy that fails is taken out of rotation, tested, and comes back.
import { ProxyRotator } from '@whirl/rotator';
import { setTimeout as wait } from 'node:timers/promises';
import { bad, good, inTurn, onStage, say } from './stage.ts';

await onStage([{ kind: 'reset' }, { kind: 'ok' }], async ({ target, proxies, urls }) => {
  const rotator = new ProxyRotator({
    proxies: urls,
    strategy: inTurn(),
    circuitBreaker: { failureThreshold: 3, openMs: 500 },
    retryPolicy: { failoverDelay: 'none' },
  });
  let recovered = false;
  rotator.bus.on('circuit:transition', ({ name, from, to, reason, failureCount }) => {
    recovered ||= to === 'closed';
    const shown = to === 'open' ? bad(to) : good(to);
    say(`circuit of ${name}: ${from} → ${shown} (${reason}, ${failureCount} failures)`);
  });
  const request = async () => (await rotator.get(target.url)).body.dump();

  for (let i = 0; i < 6; i++) await request();
  for (const [id, circuit] of rotator.getCircuitBreakerStates()) {
    say(`${id}: ${circuit.state}, ${circuit.failureCount} of ${circuit.failureThreshold} failures`);
    if (circuit.nextTestAt !== undefined) {
      say(`  out of rotation; next test at ${new Date(circuit.nextTestAt).toISOString()}`);
    }
  }

  say('the proxy is repaired; the next request after 500 ms is its test');
  await proxies[0]?.behave({ kind: 'ok' });
  while (!recovered) {
    await request();
    await wait(100);
  }
  await rotator.close();
});
