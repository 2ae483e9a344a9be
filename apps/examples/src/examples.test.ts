import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const folder = new URL('.', import.meta.url);
const script = fileURLToPath(new URL('../../../scripts/example.mjs', import.meta.url));

/** What each must have shown, in this order. */
const shown: Record<string, RegExp[]> = {
  '01-basic-retry': [
    /failed \(reset\); attempt 1 in 1000 ms/,
    /failed \(status\); attempt 2 in 2000 ms/,
    /attempt 2, after \d+ ms, through \S+: success/,
    /answer: status 200/,
  ],
  '02-custom-policy': [/policy impatient: 4 of at most 5/, /attempt 3, at once.*success/],
  '03-per-request-override': [
    /attempt 1, after 300 ms.*success/,
    /for this request no retries:\n {2}attempt 0.*failure 503.*\n {2}answer: status 503/,
    /without a wait:\n.*failure 503.*\n {2}attempt 1, at once.*success/,
  ],
  '04-circuit-monitoring': [
    /closed → open \(failures, 3 failures\)/,
    /: open, 3 of 3 failures/,
    /next test at \d{4}-/,
    /open → half_open \(timeout/,
    /half_open → closed \(recovered/,
  ],
  '05-retry-metrics': [
    /requests: 100\n/,
    /of which retries: [1-9]/,
    /succeeded at attempt 0: \d+/,
    /hour \S+: 100 requests, 100\.0 % succeeded/,
    /\d+ attempts, \d+ succeeded, \d+ failed/,
  ],
  '06-non-idempotent': [
    /POST, answered by 503.*\n.*failure 503.*\n {2}answer: status 503/,
    /Idempotency-Key.*\n.*failure 503.*\n {2}attempt 1.*success/,
    /retryNonIdempotent.*\n.*failure 503.*\n {2}attempt 1.*success/,
    /refused.*\n.*failure PROXY_CONNECTION.*\n {2}attempt 1.*success/,
  ],
  '07-backoff-strategies': [
    /exponential +1000 +2000 +4000 +8000 +16000 +30000 +30000/,
    /linear +2000 +4000 +6000/,
    /sequence +0 +500 +2000 +2000/,
    /exponential, decorrelated/,
  ],
  '08-geo-targeted': [
    /three requests for EU-WEST/,
    /failure PROXY_CONNECTION.*\n.*attempt 1.*success/,
    /any region:\n {2}attempt 0.*success/,
  ],
  '09-manual-reset': [
    /the circuit of the only proxy is open/,
    /ALL_PROXIES_UNAVAILABLE: would be 503; the first test is due in 30 s/,
    /the circuit is closed/,
    /answer: status 200/,
  ],
  '10-timeouts': [/timeout ATTEMPT_TIMEOUT 4\d\d ms/, /REQUEST_TIMEOUT after \S+ s and 2 attempts/],
  '11-fetch': [/attempt 0 .*failure/, /attempt 1 .*success/, /status 200: \{"ok":true.*\nthe same/],
  '12-standalone-breaker': [/open: refused at once/, /half_open: a row\nclosed: a row/],
  '13-retry-with-budget': [
    /1 call in 20 fails: \d+ calls for 200 requests \(1\.0\d each\), 0 failed/,
    /every call fails: \d+ calls for 200 requests \(1\.\d\d each\), 200 failed/,
    /refused by the budget: [1-9]/,
  ],
  '14-prometheus': [
    /whirl_requests_total\{outcome="success"\} 50/,
    /whirl_requests_succeeded_total\{attempt="0"\} \d+/,
    /whirl_proxies 2/,
  ],
  '15-fleet': [
    /alone: \d+ wasted attempts, 0 failed requests/,
    /a fleet: \d+ wasted attempts, 0 failed requests/,
    /fewer: true/,
  ],
  '16-provider-gateway': [
    /gate\/2 has a new session: banned\nrequest 2: status 200 through gate\/3, attempt 2/,
    /the gateway itself goes down/,
    /20 requests, 5 attempts: the group 127.0.0.1 is open/,
    /4 exits, 0 available, 2 renewed/,
  ],
};

describe.concurrent('X1 examples run alone against real flaky proxies', () => {
  it('each has its expectations here', () => {
    const names = readdirSync(folder)
      .filter((name) => /^\d+-.*\.ts$/.test(name))
      .map((name) => name.replace(/\.ts$/, ''));
    expect(Object.keys(shown).sort()).toEqual(names.sort());
  });

  it.each(Object.entries(shown))('X1 %s', async (name, patterns) => {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [
      script,
      String(Number.parseInt(name)),
    ]);
    expect(stderr).toBe('');
    let rest = stdout;
    for (const pattern of patterns) {
      const found = pattern.exec(rest);
      expect(found, `${pattern} in\n${stdout}`).not.toBeNull();
      rest = rest.slice(found?.index);
    }
  });
});
