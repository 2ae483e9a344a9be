import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidProxyError } from '../errors.ts';
import type { ProxyListOptions } from './list-options.ts';
import { readProxyList } from './proxy-list.ts';

const secret = 'hunter2';
const host = fc.constantFrom(
  ...['192.0.2.1', '192.0.2.07', '192.0.2.017', 'h.example', 'h', '[2001:db8::1]', '2001:db8::1'],
  ...['bücher.example', 'a,b', '127.1', '', 'H.EXAMPLE.', 'a\u200bb'],
);
const port = fc.constantFrom('80', '0', '65535', '65536', '8080', '', 'x');
const word = fc.constantFrom(
  ...['ann', secret, `${secret}:x`, `${secret}@x`, `%40${secret}`, 'US', 'elite', '12345', ''],
);
const sign = fc.constantFrom(':', '@', ',', ';', '|', '\t', ' ', '://', '::', '"');
const scheme = fc.constantFrom('', 'http://', 'SOCKS5://', 'socks://', 'vmess://', 'x://');

/** Lines that look like lines of proxies, more or less. */
const line = fc.oneof(
  fc
    .tuple(scheme, fc.array(fc.oneof(host, port, word), { maxLength: 6 }), sign, sign)
    .map(([start, parts, a, b]) => start + parts.map((each, i) => (i % 2 ? a : b) + each).join('')),
  fc.tuple(scheme, host, port).map(([start, a, b]) => `${start}${a}:${b}`),
  fc.tuple(host, port, word, word).map((parts) => parts.join(':')),
  fc.tuple(word, word, host, port).map(([a, b, c, d]) => `${a}:${b}@${c}:${d}`),
  fc.string({ unit: 'binary' }),
);
const entry = fc.oneof(
  line,
  fc.record(
    { ip: host, host, port: fc.oneof(port, fc.integer()), username: word, password: word },
    { requiredKeys: [] },
  ),
  fc.jsonValue(),
);
const lineEnd = fc.constantFrom('\n', '\r\n', '\r');
const list = fc.oneof(
  fc.tuple(fc.array(line), lineEnd).map(([lines, end]) => lines.join(end)),
  fc.array(line).map((lines) => ['ip,port,user,pass', ...lines].join('\n')),
  fc
    .array(fc.tuple(host, port, word, word))
    .map((rows) => ['ip,port,user,pass', ...rows.map((row) => row.join(','))].join('\n')),
  fc.array(entry).map((entries) => JSON.stringify(entries)),
  fc.array(entry).map((entries) => JSON.stringify({ proxies: entries }, null, 1)),
  fc.array(entry).map((entries) => entries.map((each) => JSON.stringify(each)).join('\n')),
  fc.string({ unit: 'binary' }),
);
const options: fc.Arbitrary<ProxyListOptions> = fc.record(
  {
    format: fc.constantFrom(
      ...['host:port:user:pass', 'user:pass:host:port', 'host:port:region', 'url;user;pass'],
      ...['records', 'host port *'],
    ),
    defaultProtocol: fc.constantFrom('http' as const, 'socks5' as const),
    onInvalid: fc.constantFrom('throw' as const, 'skip' as const),
  },
  { requiredKeys: [] },
);

/** Every text that a list could get into a log. */
function shown(text: string, given: ProxyListOptions): string[] {
  try {
    const { proxies, skipped } = readProxyList(text, given);
    return [
      ...skipped.first.map(({ reason }) => reason),
      ...proxies.map((proxy) => inspect({ ...proxy, username: '', id: '', region: '', host: '' })),
    ];
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidProxyError);
    const { message, issues } = error as InvalidProxyError;
    expect(issues.length).toBeLessThanOrEqual(20);
    return [message, ...issues.map(({ reason }) => reason)];
  }
}

describe('F17m A17 any list', () => {
  it('F17m what was read is proxies, skipped, duplicates and conflicts', () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 40 }), (lines) => {
        // Lines of the test's own, so that there is something to count whatever the others are.
        const counted = lines.filter((each) => /^[\w.:@[\]]+$/.test(each));
        const text = ['192.0.2.77:1', ...counted].join('\n');
        const report = readProxyList(text, { onInvalid: 'skip' });
        const { proxies, skipped, duplicates, conflicts } = report;
        expect(proxies.length + skipped.count + duplicates + conflicts).toBe(counted.length + 1);
        expect(skipped.first.length).toBe(Math.min(20, skipped.count));
        expect(new Set(proxies.map(({ id }) => id)).size).toBe(proxies.length);
      }),
    );
  });

  it('F17m the same for JSON, of whatever its entries are', () => {
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 40 }), (entries) => {
        const text = JSON.stringify(['192.0.2.77:1', ...entries]);
        const { proxies, skipped, ...rest } = readProxyList(text, { onInvalid: 'skip' });
        const { duplicates, conflicts } = rest;
        expect(proxies.length + skipped.count + duplicates + conflicts).toBe(entries.length + 1);
      }),
    );
  });

  it('F17c no text of any list or option shows a secret, and none is long', () => {
    fc.assert(
      fc.property(list, options, (text, given) => {
        for (const each of shown(text, given)) {
          // A host may have any name: a secret that stands where the host belongs cannot be told.
          expect(each.replaceAll(`${secret}:`, '')).not.toContain(secret);
          expect(each.length).toBeLessThan(4000);
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('F17o a list read twice is the same list, and reading what was read changes nothing', () => {
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        const text = ['192.0.2.77:1', ...lines.filter((each) => !/[\r\n]/.test(each))].join('\n');
        let first;
        try {
          first = readProxyList(text, { onInvalid: 'skip' });
        } catch {
          return;
        }
        const again = readProxyList([...first.proxies, ...first.proxies]);
        expect(again.proxies).toEqual(first.proxies);
        expect(again.duplicates).toBe(first.proxies.length);
        const urls = first.proxies.map(
          ({ protocol, host: at, port: number, username = '', password = '' }) =>
            `${protocol}://${encodeURIComponent(username)}:${encodeURIComponent(password)}@${at}:${number}`,
        );
        expect(readProxyList(urls).proxies.map(({ id, password }) => [id, password])).toEqual(
          first.proxies.map(({ id, password }) => [id, password]),
        );
      }),
    );
  });
});

/** Milliseconds of the processor for the cheapest of several runs: other processes do not count. */
function cost(run: () => void): number {
  let best = Infinity;
  for (let i = 0; i < 4; i++) {
    const begun = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(begun);
    best = Math.min(best, (user + system) / 1000);
  }
  return best;
}

function read(text: string, given: ProxyListOptions = {}): void {
  try {
    readProxyList(text, given);
  } catch (error) {
    if (!(error instanceof InvalidProxyError)) throw error;
  }
}

describe('F17q A17 time and memory', () => {
  const hostile: [string, (n: number) => string, ProxyListOptions?][] = [
    ['comment signs before a line separator', (n) => `${' #'.repeat(n / 2)}\u2028`],
    ['blanks inside a line', (n) => `a${' '.repeat(n)}b`],
    ['invisible characters', (n) => `a${'\u200b'.repeat(n)}b`],
    ['blank lines', (n) => `${'\n'.repeat(n)}x`],
    ['carriage returns', (n) => '\r'.repeat(n)],
    ['colons', (n) => ':'.repeat(n)],
    ['at signs', (n) => '@'.repeat(n)],
    ['ports and at signs', (n) => 'h:1@'.repeat(n / 4)],
    ['brackets on lines', (n) => '[\n'.repeat(n / 2)],
    ['quotes', (n) => `ip,port\n${'"'.repeat(n)}`],
    ['stray quotes', (n) => `ip,port\n${'"a\n'.repeat(n / 3)}`],
    ['question marks', (n) => '?'.repeat(n)],
    ['percent signs', (n) => `${'%'.repeat(n)}@h:1`],
    ['labels', (n) => `${'a.'.repeat(n / 2)}:1`],
    ['digits', (n) => `${'1.'.repeat(n / 2)}1:1`],
    ['slashes', (n) => `http:${'/'.repeat(n)}`],
    ['commas', (n) => ','.repeat(n)],
    ['dashes of YAML', (n) => '- \n'.repeat(n / 3)],
    ['nested JSON', (n) => `${'['.repeat(n)}`],
    ['empty objects', (n) => `[${'{},'.repeat(n / 3)}{}]`],
    ['JSON lines', (n) => '{}\n'.repeat(n / 3)],
    ['many keys', (n) => `[{${Array.from({ length: n / 10 }, (_, i) => `"k${i}":1`).join()}}]`],
    ['one proxy again and again', (n) => 'h:1\n'.repeat(n / 4)],
    ['one id again and again', (n) => 'h:1\nsocks5://h:1\n'.repeat(n / 17)],
    ['separators of a template', (n) => ' '.repeat(n), { format: 'host port *' }],
    ['columns of a template', (n) => 'a:'.repeat(n / 2), { format: 'user:pass:host:port:id' }],
  ];
  it.each(hostile)(
    'A17 eight times as many %s do not take 64 times as long',
    (_name, of, given) => {
      const small = of(32 * 1024);
      const big = of(256 * 1024);
      read(small, given);
      const ratio =
        cost(() => read(big, given)) /
        Math.max(
          cost(() => read(small, given)),
          1,
        );
      expect(ratio).toBeLessThan(32);
    },
  );

  it.each<[string, string, string?]>([
    ['a port of 0', 'a,0\n'],
    ['no host', '?,1\n'],
    ['a column too few', 'a\n'],
    ['a quote that is not closed', '"a\n'],
    ['a protocol that is none of ours', 'a,1\n', 'ip,type\n'],
  ])('A17 1 MiB of rows of CSV with %s costs little more than its split', (_name, row, head) => {
    const text = (head ?? 'ip,port\n') + row.repeat((1024 * 1024) / row.length);
    let cells = 0;
    const split = () => {
      for (const line of text.split('\n')) cells += line.split(',').length;
    };
    expect(cost(() => read(text)) / cost(split)).toBeLessThan(15);
    expect(cells).toBeGreaterThan(0);
  });

  it('F17q 10 % of wrong entries cost less than the list itself', () => {
    const good = Array.from({ length: 20_000 }, (_, i) => `192.0.2.1:${1 + (i % 60_000)}:u${i}:pw`);
    const bad = good.map((each, i) => (i % 10 === 0 ? `192.0.2.1:0:u${i}:pw` : each)).join('\n');
    const text = good.join('\n');
    const ratio =
      cost(() => read(bad, { onInvalid: 'skip' })) / cost(() => read(text, { onInvalid: 'skip' }));
    expect(ratio).toBeLessThan(2);
  });

  it('F17q a report is 20 reasons of less than 300 characters, of whatever length the lines are', () => {
    const bad = Array.from({ length: 500 }, (_, i) => `${'h.example'.repeat(i)}:${i}x,{`);
    const { skipped } = readProxyList(['h:1', ...bad].join('\n'), { onInvalid: 'skip' });
    expect(skipped.count).toBe(500);
    expect(skipped.first).toHaveLength(20);
    for (const { reason } of skipped.first) expect(reason.length).toBeLessThan(300);
  });
});
