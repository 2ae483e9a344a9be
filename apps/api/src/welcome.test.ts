import { describe, expect, it } from 'vitest';
import { welcome } from './welcome.ts';

const url = 'http://127.0.0.1:8000';

describe('A10 the line for a person at a terminal', () => {
  it('A10 prints where the page, the API and the target of the demo are', () => {
    const demoTargetUrl = 'http://127.0.0.1:41234/';
    expect(welcome({ url, dashboard: true, demoTargetUrl, proxies: 8 })).toBe(
      'whirl: http://127.0.0.1:8000 (dashboard), API at http://127.0.0.1:8000/docs, ' +
        'demo of 8 proxies, its target is http://127.0.0.1:41234/',
    );
  });

  it('A10 promises no page that is switched off, and no target without a demo', () => {
    expect(welcome({ url, dashboard: false, proxies: 1 })).toBe(
      'whirl: http://127.0.0.1:8000 (no dashboard), API at http://127.0.0.1:8000/docs, 1 proxy',
    );
  });

  it('A10 prints where the gateway is, and that there is no API', () => {
    const gateway = '127.0.0.1:8001';
    expect(welcome({ url: undefined, dashboard: true, proxies: 2, gateway })).toBe(
      'whirl: no API, proxy at http://127.0.0.1:8001, 2 proxies',
    );
  });

  it('A10 shows how to send a request through the gateway, in a line of its own to paste', () => {
    const curl = 'curl -x http://127.0.0.1:8001 http://127.0.0.1:41234/';
    const text = welcome({ url, dashboard: true, proxies: 8, gateway: '127.0.0.1:8001', curl });
    expect(text.split('\n').at(-1)).toBe(`try: ${curl}`);
  });
});
