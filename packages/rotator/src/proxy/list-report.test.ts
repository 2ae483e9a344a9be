import { describe, expect, it } from 'vitest';
import { InvalidProxyError } from '../errors.ts';
import { ProxyRotator } from '../proxy-rotator.ts';
import { parseProxyList, readProxyList, readProxyListAsync } from './proxy-list.ts';
import type { ProxyInput } from './proxy.ts';

function refusal(act: () => unknown): InvalidProxyError {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidProxyError);
    return error as InvalidProxyError;
  }
  throw new Error('it was expected to be refused');
}

/** 38,002 lines, three of which are not proxies. */
const lines = Array.from({ length: 38_002 }, (_, i) => `192.0.2.${i % 250}:${1024 + (i >> 2)}`);
lines[6] = '192.0.2.1:0';
lines[8] = '192.0.2.999:80';
lines[11] = '192.0.2.1,80';
const large = lines.join('\n');

describe('F17l a list with wrong entries', () => {
  it('F17l throw: one error names three of 38,002 lines, with the next step for each', () => {
    const { message, issues, issueCount } = refusal(() => parseProxyList(large));
    expect(issueCount).toBe(3);
    expect(issues.map(({ line }) => line)).toEqual([7, 9, 12]);
    expect(message).toBe(
      `3 of 38,002 lines are not proxies: ${issues.map(({ line, reason }) => `line ${line}: ${reason}`).join('; ')}`,
    );
    expect(issues[0]?.reason).toBe('"192.0.2.1:0" is not a proxy: its port must be 1 to 65535');
  });

  it('F17l skip: the good ones come back, with the same report', () => {
    const { proxies, skipped } = readProxyList(large, { onInvalid: 'skip' });
    expect(proxies).toHaveLength(37_999);
    expect(skipped).toEqual({
      count: 3,
      first: refusal(() => parseProxyList(large)).issues,
    });
    expect(parseProxyList(large, { onInvalid: 'skip' })).toHaveLength(37_999);
  });

  it('F17l equal reasons are one, and the rest is a number', () => {
    const bad = [
      ...Array.from({ length: 402 }, () => 'h.example:0'),
      ...['a,b', 'h.example', 'h..x:1', 'ftp://h.example:1', 'h.example:1'],
    ];
    const { message, issues, issueCount } = refusal(() => parseProxyList(bad.join('\n')));
    expect(message).toBe(
      '406 of 407 lines are not proxies: its port must be 1 to 65535 (402 lines, first 1); ' +
        'line 403: a text of 2 parts between commas is not a proxy: its parts stand between commas: ' +
        'give the list a header row, or name a template such as "host,port,*"; ' +
        'line 404: a single word is not a proxy: it has no port; and 2 more',
    );
    expect([issues.length, issueCount]).toEqual([20, 406]);
  });

  it('F17l of one wrong entry the message is the line alone', () => {
    expect(refusal(() => parseProxyList('h:1\nh:0')).message).toBe(
      'line 2: "h:0" is not a proxy: its port must be 1 to 65535',
    );
  });
});

describe('F17m F17n the report', () => {
  it('F17m every entry is counted once', () => {
    const text = 'h:1\nh:1\nbad\nsocks5://h:1\n# x\n\nh:2\n';
    expect(readProxyList(text, { onInvalid: 'skip' })).toMatchObject({
      kind: 'lines',
      proxies: [{ id: 'h:1' }, { id: 'h:2' }],
      skipped: { count: 1, first: [{ line: 3 }] },
      duplicates: 1,
      conflicts: 1,
    });
  });

  it('F17n a list of which nothing is left throws, an empty one does not', () => {
    const bad = Array.from({ length: 402 }, (_, i) => `h:${i}x`).join('\n');
    expect(refusal(() => readProxyList(bad, { onInvalid: 'skip' })).message).toMatch(
      /^none of 402 lines is a proxy: its port must be 1 to 65535 \(402 lines, first 1\)$/,
    );
    for (const text of ['', ' \n', '# none\n; x\n// y', '[]', '{"proxies":[]}', 'ip,port\n']) {
      expect(readProxyList(text, { onInvalid: 'skip' })).toMatchObject({
        proxies: [],
        skipped: { count: 0, first: [] },
      });
    }
  });

  it('F17n maxSkipped refuses a list of which too much is left out', () => {
    const text = 'h:1\nx\ny\nh:2';
    expect(readProxyList(text, { onInvalid: 'skip', maxSkipped: 0.5 }).proxies).toHaveLength(2);
    expect(
      refusal(() => readProxyList(text, { onInvalid: 'skip', maxSkipped: 0.4 })).message,
    ).toMatch(/^2 of 4 lines are not proxies, more than maxSkipped \(0\.4\) allows: /);
  });

  it('F17m read in steps, the report is the same, and others run between', async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    const report = await readProxyListAsync(large, { onInvalid: 'skip' });
    clearInterval(timer);
    const { proxies, ...rest } = readProxyList(large, { onInvalid: 'skip' });
    expect(report).toMatchObject(rest);
    expect(report.proxies.map(({ id }) => id)).toEqual(proxies.map(({ id }) => id));
    expect(turns).toBeGreaterThan(0);
    await expect(readProxyListAsync(large)).rejects.toThrow(/^3 of 38,002 lines/);
  });
});

describe('F17o the same proxy twice', () => {
  it('F17o one in another spelling is a duplicate', () => {
    const text = [
      ...['h.example:80', 'http://H.Example', 'HTTP://h.example:80/', '"h.example:80",'],
      ...['192.0.2.1:80:ann:pw', 'ann:pw@192.0.2.1:80', 'ann:pw:192.0.2.01:80'],
      ...['http://192.0.2.1:80@ann:pw', '[2001:db8::1]:80', '[2001:DB8:0::1]:80'],
    ].join('\n');
    expect(readProxyList(text)).toMatchObject({
      proxies: [{ id: 'h.example:80' }, { id: 'ann@192.0.2.1:80' }, { id: '[2001:db8::1]:80' }],
      duplicates: 7,
    });
    const objects: ProxyInput[] = [
      'h:1',
      { host: 'h', port: 1 },
      { url: 'h:1', weight: 1, tags: [] },
    ];
    expect(readProxyList(objects)).toMatchObject({ kind: 'entries', duplicates: 2, conflicts: 0 });
    const tags = ['a', 'b'];
    const tagged = [
      { url: 'h:1', tags },
      { url: 'h:1', tags: tags.toReversed() },
    ];
    expect(readProxyList(tagged).duplicates).toBe(1);
  });

  it.each([
    ['h:1\n\nsocks5://h:1', 'line 1 and line 3', 'for h:1, http and socks5'],
    ['ann:a@h:1\nann:b@h:1', 'line 1 and line 2', 'for h:1, whose passwords differ'],
    ['["h:1",\n{"url":"h:1","weight":2}]', 'line 1 and line 2', 'for h:1, whose options differ'],
    ['["h:1",{"url":"h:2","id":"h:1"}]', 'entry 1 and entry 2', 'for h:1 and h:2'],
  ])('F17o %j: throw names both, skip keeps the first', (text, places, what) => {
    expect(refusal(() => readProxyList(text)).message).toBe(
      `${places} are different proxies with one id, ${what}: give one an id`,
    );
    const { proxies, conflicts, duplicates } = readProxyList(text, { onInvalid: 'skip' });
    expect([proxies.length, conflicts, duplicates]).toEqual([1, 1, 0]);
  });

  it('F17o many conflicts are shown by the first', () => {
    expect(refusal(() => parseProxyList('h:1\nsocks5://h:1\nsocks4://h:1')).message).toBe(
      '2 of 3 lines are not proxies: line 1 and line 2 are different proxies with one id, ' +
        'for h:1, http and socks5: give one an id (and 1 more like these)',
    );
  });
});

describe('F17p the rotator', () => {
  it('F17p setProxies throws by default, before anything changes, and names every entry', async () => {
    const rotator = new ProxyRotator({ proxies: ['h:1'] });
    const { issues } = refusal(() =>
      rotator.setProxies(['h:2', 'bad', { url: 'h:3', circuitBreaker: false }, { url: 'h:0' }]),
    );
    expect(issues.map(({ line }) => line)).toEqual([2, 4]);
    expect(rotator.proxies().map(({ id }) => id)).toEqual(['h:1']);
    expect(() => new ProxyRotator({ proxies: 'h:1\nbad' })).toThrow(/^line 2: /);
    rotator.setProxies(readProxyList('h:2\nbad', { onInvalid: 'skip' }).proxies);
    expect(rotator.proxies().map(({ id }) => id)).toEqual(['h:2']);
    await rotator.close();
  });

  it('F17p entries that differ in their circuit alone are a conflict', () => {
    const circuitBreaker = { failureThreshold: 3 };
    const same = [
      { url: 'h:1', circuitBreaker },
      { host: 'h', port: 1, circuitBreaker: { ...circuitBreaker } },
    ];
    expect(new ProxyRotator({ proxies: same }).proxies()).toHaveLength(1);
    expect(
      refusal(() => new ProxyRotator({ proxies: ['h:1', { url: 'h:1', circuitBreaker }] })).message,
    ).toMatch(/^entry 1 and entry 2 .* whose options differ/);
  });

  it('F17p an error of fromObject refuses its entry, any other goes through', () => {
    const list = '[{"url":"h:1"},{"url":"h:2"}]';
    const fromObject = ({ url }: Readonly<Record<string, unknown>>) => {
      if (url === 'h:2') throw new InvalidProxyError('not this one');
      return { url: String(url), region: 'eu' };
    };
    expect(readProxyList(list, { fromObject, onInvalid: 'skip' })).toMatchObject({
      proxies: [{ region: 'eu' }],
      skipped: { count: 1, first: [{ line: 2, reason: 'not this one' }] },
    });
    const broken = () => {
      throw new Error('a bug');
    };
    expect(() => readProxyList(list, { fromObject: broken, onInvalid: 'skip' })).toThrow('a bug');
  });
});
