import { describe, expect, it } from 'vitest';
import type { ProxyListOptions } from './list-options.ts';
import { parseProxyList, readProxyList } from './proxy-list.ts';

/** What a list says, as URLs with passwords and regions, so that one look compares it all. */
const summary = (text: string, options?: ProxyListOptions) =>
  parseProxyList(text, options).map(({ url, password, region }) =>
    [url, password, region].filter((each) => each !== undefined).join(' '),
  );
const one = 'http://192.0.2.1:8080';

describe('F17h the edges of a line', () => {
  it.each([
    ['192.0.2.1:8080,', 'a trailing comma'],
    ['192.0.2.1:8080;', 'a trailing semicolon'],
    ['"192.0.2.1:8080"', 'quotes'],
    ["'192.0.2.1:8080',", 'quotes and a comma'],
    ['\u200b192.0.2.1:8080\ufeff', 'invisible characters'],
    ['\u2060\u00a0"192.0.2.1:8080" \u200d;', 'all of them'],
    ['\ufeff\ufeff192.0.2.1:8080\r\n', 'two byte order marks'],
    ['192.0.2.1:8080\u2028', 'a line separator of Unicode'],
    ['# a\n; b\n// c\n 192.0.2.1:8080 # d', 'comments'],
    ['\n\r\n\r192.0.2.1:8080\r\r\n', 'line ends of every kind'],
  ])('F17h %j is a proxy: %s', (text) => {
    expect(summary(text)).toEqual([one]);
  });

  it('F17h a separator in the middle is none of the edges', () => {
    for (const text of ['192.0.2.1:8080,,', '""192.0.2.1:8080""', '-- 192.0.2.1:8080']) {
      expect(() => parseProxyList(text)).toThrow(/is not a proxy/);
    }
  });

  it('F17h a # belongs to a comment only at the start or after a blank', () => {
    expect(summary('192.0.2.1:8080:ann:p#w #x')).toEqual(['http://ann@192.0.2.1:8080 p#w']);
  });
});

describe('F17i tables with a header row', () => {
  it.each([
    ['commas', 'ip,port\n192.0.2.1,8080'],
    ['semicolons', 'IP;Port\n192.0.2.1;8080\n'],
    ['tabs', 'host\tport\r\n192.0.2.1\t8080\r\n'],
    ['bars', 'hostname | port\n192.0.2.1 | 8080'],
    ['quoted cells', '"ip","port","note"\n"192.0.2.1","8080","a ""b"", c"'],
    ['an address column', 'id,proxy\n7,192.0.2.1:8080'],
    ['one column alone', 'proxy\n192.0.2.1:8080\n'],
    ['an address and a port', 'address,port\n192.0.2.1,8080'],
    ['an address with a port under ip', 'n,ip,port\n1,192.0.2.1:8080,'],
    ['comments', '# ours\n"IP Address",Port\n# first\n192.0.2.1,8080\n\n'],
    ['a byte order mark', '\ufeffip,port\n192.0.2.1,8080'],
  ])('F17i a table with %s is read by its names', (_name, text) => {
    const { kind, proxies } = readProxyList(text);
    expect([kind, ...proxies.map(({ url }) => url)]).toEqual(['csv', one]);
  });

  it('F17i each column becomes its field, others are ignored', () => {
    const text = [
      'ip,port,protocol,username,password,country,city,uptime',
      '192.0.2.1,8080,SOCKS5,ann,"p,""w",us,Springfield,97',
      '192.0.2.2,3128,HTTP/HTTPS,,,United States,,',
      '192.0.2.3,1080,"socks4, socks5",,,--,,',
    ].join('\n');
    expect(summary(text)).toEqual([
      'socks5://ann@192.0.2.1:8080 p,"w US',
      'http://192.0.2.2:3128 United States',
      'socks5://192.0.2.3:1080',
    ]);
  });

  it('F17i a ragged row, a quote that is not closed and a missing port are reported with their line', () => {
    const text = 'ip,port\n192.0.2.1,8080\n192.0.2.2\n192.0.2.3,"80\n192.0.2.4,0\n192.0.2.5,81';
    const { proxies, skipped } = readProxyList(text, { onInvalid: 'skip' });
    expect(proxies.map(({ id }) => id)).toEqual(['192.0.2.1:8080', '192.0.2.5:81']);
    expect(skipped.first).toEqual([
      { line: 3, reason: 'it must have 2 columns, as the header has, but it has 1' },
      { line: 4, reason: 'a quote in it is not closed, or is followed by text' },
      { line: 5, reason: 'a text of 2 parts between colons is not a proxy: it has no port' },
    ]);
  });

  it('F17i names that occur twice make no header', () => {
    expect(() => parseProxyList('ip,port,port\n192.0.2.1,80,81')).toThrow(/give the list a header/);
  });
});

describe('F17i JSON', () => {
  it.each([
    ['an array of texts', '["192.0.2.1:8080"]', 'json'],
    ['an array of objects', '[{"ip":"192.0.2.1","port":8080}]', 'json'],
    ['a port in a text', '[{"ip_address":"192.0.2.1","port":"8080"}]', 'json'],
    ['a server that is a URL', '[{"server":"http://192.0.2.1:8080"}]', 'json'],
    ['an object with a list', '{"total":1,"data":[{"ip":"192.0.2.1","port":8080}]}', 'json'],
    ['an object by protocol', '{"http":["192.0.2.1:8080"],"socks5":[]}', 'json'],
    [
      'JSON lines',
      '{"ip":"192.0.2.1","port":8080}\n{"ip":"192.0.2.1","port":8080}\n',
      'json-lines',
    ],
    ['an object of whirl', '[{"host":"192.0.2.1","port":8080}]', 'json'],
    ['a list of texts under a name', '{"proxies":["192.0.2.1:8080"]}', 'json'],
    ['one line of JSON lines', '{"ip":"192.0.2.1","port":8080,"ms":3}\n', 'json'],
  ])('F17i %s is read', (_name, text, expected) => {
    const { kind, proxies } = readProxyList(text);
    expect([kind, ...proxies.map(({ url }) => url)]).toEqual([expected, one]);
  });

  it('F17i the country becomes the region, a state does not', () => {
    const entry = { ip: '192.0.2.1', port: 8080 };
    const regionOf = (more: object) => summary(JSON.stringify([{ ...entry, ...more }]))[0];
    for (const more of [
      { country_code: 'us', region: 'Ohio' },
      { countryCode: 'US' },
      { country: 'US', country_name: 'United States' },
      { geolocation: { country: { iso_code: 'US' }, city: 'x' } },
      { geolocation: { countryCode: 'US' } },
      { geo: { country: { code: 'US' } } },
      { region: 'us' },
    ]) {
      expect(regionOf(more)).toBe(`${one} US`);
    }
    for (const country of ['--', 'None', 'ZZ', '-', '', null]) {
      expect(regionOf({ country, region: 'Ohio' })).toBe(one);
    }
  });

  it('F17i protocols: several are one, and what is no protocol is passed over', () => {
    const protocolOf = (more: object) =>
      parseProxyList(JSON.stringify([{ ip: '192.0.2.1', port: 80, ...more }]))[0]?.protocol;
    expect(protocolOf({ protocols: ['socks4', 'socks5'] })).toBe('socks5');
    expect(protocolOf({ protocols: ['socks4', 'http'] })).toBe('http');
    expect(protocolOf({ types: [{ type: 'SOCKS4' }] })).toBe('socks4');
    expect(protocolOf({ type: 'elite', ptype: 'socks5' })).toBe('socks5');
    expect(protocolOf({ type: 'elite' })).toBe('http');
    expect(protocolOf({ protocol: 'https' })).toBe('https');
    expect(
      parseProxyList('ip,port,type\n192.0.2.1,80,https', { https: 'connect' })[0]?.protocol,
    ).toBe('http');
    expect(
      parseProxyList('ip,port,type\n192.0.2.1,80,https/socks5', { https: 'connect' })[0]?.protocol,
    ).toBe('http');
    expect(() => protocolOf({ protocol: 'socks' })).toThrow(/SOCKS4 in some programs/);
    expect(() => protocolOf({ type: 'vmess' })).toThrow(/share link \(vmess\)/);
  });

  it('F17i a name wins over an address, but the name of a server program does not', () => {
    const hostOf = (entry: object) => parseProxyList(JSON.stringify([{ ...entry, port: 80 }]))[0];
    expect(hostOf({ ip: '192.0.2.1', hostname: 'p.example' })?.host).toBe('p.example');
    expect(hostOf({ ip: '192.0.2.1', hostname: null })?.host).toBe('192.0.2.1');
    expect(hostOf({ ip: '192.0.2.1', server: 'nginx' })?.host).toBe('192.0.2.1');
  });

  it('F17j the format records reads objects of other programs that have a host or a url', () => {
    const list = JSON.stringify([
      { host: '192.0.2.1', port: 8080, protocol: 'http', exit_ip: '192.0.2.9', timeout: 1.5 },
    ]);
    expect(() => parseProxyList(list)).toThrow(/name the format "records"/);
    expect(summary(list, { format: 'records' })).toEqual([one]);
    expect(() => parseProxyList('192.0.2.1:80', { format: 'records' })).toThrow(/is for JSON/);
  });

  it('F17i columns that are named become tags', () => {
    const options = { tagColumns: ['anonymity', 'type'] };
    const list = '[{"ip":"192.0.2.1","port":1,"anonymity":"elite","type":["http","fast"]}]';
    expect(parseProxyList(list, options)[0]?.tags).toEqual(['elite', 'http', 'fast']);
    expect(parseProxyList('ip,port,Anonymity\n192.0.2.1,1,elite', options)[0]?.tags).toEqual([
      'elite',
    ]);
  });
});

describe('F17j templates', () => {
  it.each([
    ['host:port:region', '192.0.2.1:8080:DE', `${one} DE`],
    ['host:port::region::*', '192.0.2.1:8080::DE::x:y', `${one} DE`],
    ['host:port|region|*', '192.0.2.1:8080|de|fast|x', `${one} DE`],
    ['host,port,region,*,protocol', '192.0.2.1,8080,DE,elite,http', `${one} DE`],
    ['host,port,*', '192.0.2.1,8080,', one],
    ['url;user;pass', 'http://192.0.2.1:8080;ann;p;w', 'http://ann@192.0.2.1:8080 p;w'],
    [
      'protocol host port user pass',
      'http \t 192.0.2.1 8080 ann p w',
      'http://ann@192.0.2.1:8080 p w',
    ],
    ['host:port region-*', '192.0.2.1:8080 DE-N-S! +', `${one} DE`],
    ['user:pass:host:port:region', 'ann:p:w:192.0.2.1:8080:DE', 'http://ann@192.0.2.1:8080 p:w DE'],
    ['user:pass@host:port', 'ann:p@w@192.0.2.1:8080', 'http://ann@192.0.2.1:8080 p@w'],
    ['host:port*', '192.0.2.1:8080', undefined],
    ['"host","port"', '"192.0.2.1","8080"', one],
    ['host:port:region', 'socks5://ann:pw@192.0.2.1:1', 'socks5://ann@192.0.2.1:1 pw'],
    ['host:port:region', '[2001:db8::1]:80:DE', 'http://[2001:db8::1]:80 DE'],
    ['region:host:port', 'DE:[2001:db8::1]:80', 'http://[2001:db8::1]:80 DE'],
    ['user:pass:host:port', 'elite:x:192.0.2.1:80', 'http://elite@192.0.2.1:80 x'],
  ])('F17j %s reads %s', (format, line, expected) => {
    if (expected === undefined) {
      expect(() => parseProxyList(line, { format })).toThrow(/without a separator between/);
    } else expect(summary(line, { format })).toEqual([expected]);
  });

  it.each([
    ['host', /must have host and port, or url/],
    ['host:user', /must have host and port, or url/],
    ['url:host:port', /must have host and port, or url/],
    ['host:port:host', /has host twice/],
    ['host:port:country', /it has "country", write region instead$/],
    ['ip:port', /it has "ip", write host instead$/],
    ['http://ann:hunter2@h:1', /^(?!.*(?:hunter|ann)).*it has a word that is none of these$/],
    ['', /must have host and port/],
  ])('F17j the template %j throws at once, whatever the list is', (format, why) => {
    expect(() => parseProxyList('', { format })).toThrow(why);
    expect(() => parseProxyList('', { format })).toThrow(RangeError);
  });

  it('F17j a line that does not follow the template is reported, a header row is not', () => {
    const text = 'ip:port:country\n192.0.2.1:8080:DE\n192.0.2.2:80\n192.0.2.3:80:DE:x\n';
    const { proxies, skipped } = readProxyList(text, {
      format: 'host:port:region',
      onInvalid: 'skip',
    });
    expect(proxies).toHaveLength(1);
    expect(skipped).toMatchObject({ count: 2, first: [{ line: 3 }, { line: 4 }] });
    expect(skipped.first[0]?.reason).toBe(
      '"192.0.2.2:80" is not a proxy: it does not follow the template host:port:region',
    );
  });

  it('F17j ids and protocols of a template', () => {
    const format = 'id,host,port,protocol';
    expect(parseProxyList('a,192.0.2.1,1080,SOCKS5', { format })[0]).toMatchObject({
      id: 'a',
      protocol: 'socks5',
    });
    expect(() => parseProxyList('a,192.0.2.1,1080,what', { format })).toThrow(/none that whirl/);
  });

  it('F17j proxychains: the lines after [ProxyList]', () => {
    const text =
      '# conf\nstrict_chain\n[ProxyList]\n# type host port\nsocks5 192.0.2.1 1080 ann pw\nhttp\t192.0.2.2 80\n';
    const format = 'proxychains';
    expect(summary(text, { format })).toEqual([
      'socks5://ann@192.0.2.1:1080 pw',
      'http://192.0.2.2:80',
    ]);
    expect(() => parseProxyList(`${text}raw 192.0.2.3 80\n`, { format })).toThrow(
      /^line 7: .*its type must be http, socks4 or socks5/,
    );
    expect(() => parseProxyList('192.0.2.1:80', { format })).toThrow(/no line \[ProxyList\]/);
  });
});

describe('F17k defaults', () => {
  it('F17k defaultProtocol is for entries that name none, in every kind of list', () => {
    const options = { defaultProtocol: 'socks5' } as const;
    for (const text of [
      '192.0.2.1:1080\nhttp://192.0.2.2:80',
      'ip,port,protocol\n192.0.2.1,1080,\n192.0.2.2,80,http',
      '["192.0.2.1:1080",{"host":"192.0.2.2","port":80,"protocol":"http"}]',
      '[{"host":"192.0.2.1","port":1080},{"ip":"192.0.2.2","port":80,"type":"http"}]',
    ]) {
      expect(summary(text, options)).toEqual(['socks5://192.0.2.1:1080', 'http://192.0.2.2:80']);
    }
  });

  it('F17k defaultPort is for entries without one', () => {
    expect(summary('192.0.2.1\nh.example:1', { defaultPort: 8080 })).toEqual([
      one,
      'http://h.example:1',
    ]);
    expect(summary('ip,port\n192.0.2.1,', { defaultPort: 8080 })).toEqual([one]);
  });

  it.each([
    [
      { defaultProtocol: 'ftp' },
      RangeError,
      /defaultProtocol must be "http", .* or "socks5h", got "ftp"/,
    ],
    [{ defaultPort: 0 }, RangeError, /defaultPort must be an integer from 1 to 65535, got 0/],
    [{ onInvalid: 'drop' }, RangeError, /onInvalid must be "throw" or "skip", got "drop"/],
    [{ maxSkipped: 2 }, RangeError, /maxSkipped must be a number from 0 to 1, got 2/],
    [{ format: 7 }, TypeError, /format must be a string, got 7/],
    [{ https: 'x' }, RangeError, /https must be "tls" or "connect", got "x"/],
    [{ tagColumns: 'a' }, TypeError, /tagColumns must be an array of strings/],
    [{ fromObject: 1 }, TypeError, /fromObject must be a function/],
    [{ oninvalid: 'skip' }, TypeError, /unknown option "oninvalid": did you mean "onInvalid"\?/],
  ])('F17 the options %j are refused', (options, type, why) => {
    expect(() => parseProxyList('', options as ProxyListOptions)).toThrow(type);
    expect(() => parseProxyList('', options as ProxyListOptions)).toThrow(why);
  });
});
