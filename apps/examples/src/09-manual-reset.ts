// Manual circuit reset: you know that a proxy is well again, and do not want to wait for its test.
import { AllProxiesUnavailableError, ProxyRotator } from '@whirl/rotator';
import { onStage, say, showWay } from './stage.ts';

await onStage([{ kind: 'reset' }], async ({ target, proxies, urls }) => {
  const rotator = new ProxyRotator({ proxies: urls, retryPolicy: null });
  const id = proxies[0]?.id ?? '';
  const state = () => rotator.getCircuitBreakerStates().get(id)?.state;

  for (let i = 0; i < 5; i++) {
    await rotator.get(target.url).catch(({ code }) => say(`request ${i + 1}: ${code}`));
  }
  say(`the circuit of the only proxy is ${state()}`);
  try {
    await rotator.get(target.url);
  } catch (error) {
    if (!(error instanceof AllProxiesUnavailableError)) throw error;
    const seconds = Math.ceil((error.retryAfterMs ?? 0) / 1000);
    say(`${error.code}: would be ${error.statusCode}; the first test is due in ${seconds} s`);
  }

  say('the proxy is repaired, and its circuit reset by hand');
  await proxies[0]?.behave({ kind: 'ok' });
  rotator.resetCircuitBreaker(id);
  say(`the circuit is ${state()}`);
  await showWay(await rotator.get(target.url));
  await rotator.close();
});
