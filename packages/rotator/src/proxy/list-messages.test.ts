import { describe, expect, it } from 'vitest';
import { InvalidProxyError } from '../errors.ts';
import { readProxyList } from './proxy-list.ts';

describe('F17 what a list is instead, and the next step', () => {
  it.each([
    ['a clash file', 'port: 7890\nproxies:\n  - {name: a, server: h}\n', /^this is a clash file/],
    ['YAML', '- name: a\n  server: 192.0.2.1\n  port: 80\n', /^this is YAML, .*docs\/lists\.md/],
    ['share links', 'vmess://eA\nvmess://eQ\n', /share link \(vmess\).*run its client/],
    ['HTML', '<!DOCTYPE html>\n<p>192.0.2.1:80</p>', /^this is an HTML page/],
    ['XML', '<?xml version="1.0"?>\n<ProxifierProfile/>', /^this is XML, .*Proxifier/],
    ['a PAC file', '// x\nfunction FindProxyForURL(url, host) {\n}', /^this is a PAC file/],
    ['results of a PAC file', 'PROXY 192.0.2.1:80; DIRECT', /a result of a PAC file/],
    ['squid', 'http_port 3128\ncache_peer 192.0.2.1 parent 80 0\n', /^this is a squid config/],
    ['HAProxy', 'global\nbackend x\n  server a 192.0.2.1:80\n', /^this is a HAProxy config/],
    ['WinHTTP', 'http=192.0.2.1:80', /a setting of WinHTTP: write a URL/],
    ['a Markdown table', '| ip | port |\n|---|---|\n| 192.0.2.1 | 80 |\n', /^this is a Markdown/],
    ['numbered lines', '1. 192.0.2.1:80\n2. 192.0.2.2:80\n', /it is numbered: remove the numbers/],
    ['sing-box', '{"outbounds":[{"type":"socks"}]}', /^this is a configuration of sing-box/],
    [
      'proxychains',
      'strict_chain\n[ProxyList]\nhttp 192.0.2.1 80\n',
      /name the format "proxychains"/,
    ],
    ['UTF-16', 'h\0:\x001\0', /NUL characters: .*save it as UTF-8/],
    ['base64', Buffer.from('vmess://'.repeat(20)).toString('base64'), /looks like base64: decode/],
    [
      'a whirl object alone',
      '{"url":"h:1"}',
      /^this is a JSON object with the key url: a list is an array/,
    ],
    ['broken JSON', '{"proxies": [', /begins like JSON, but is not/],
    ['JSON behind another line', '# mine\n["h:1"]', /JSON, which stands in a list of its own/],
    [
      'keys that may be secret',
      '{"hunter2":[],"a:b@c:1":[]}',
      /JSON object with 2 keys that may be secret: /,
    ],
    ['an invisible character', 'h:80\u200b:ann:x', /it holds an invisible character, U\+200B/],
    [
      'a host with a zone',
      '[{"host":"fe80::1%eth0"}]',
      /^entry 1: a text of 3 parts between colons is/,
    ],
    [
      'another object',
      '{"date":"x","proxies":{}}',
      /^this is a JSON object with the keys date and proxies/,
    ],
    ['nested arrays', '[["192.0.2.1",80]]', /must be a text or an object, got an array/],
    [
      'other objects',
      '[{"node":"x","zone":1}]',
      /it has the keys node and zone, and neither a url nor a host/,
    ],
    [
      'columns',
      '192.0.2.1,8080,http,US',
      /between commas: give the list a header row, or name a template such as "host,port,\*"/,
    ],
    [
      'columns after a port',
      '192.0.2.1:8080 US-N-S! +',
      /between blanks: .* such as "host:port \*"/,
    ],
    [
      'a table by protocol',
      'http,socks5\n192.0.2.1:80,192.0.2.2:1080',
      /a column for each protocol/,
    ],
    [
      'three parts',
      '192.0.2.1:8080:ann',
      /^line 1: a text of 3 parts between colons is not a proxy: expected host:port or/,
    ],
    ['an IPv6 address', '2001:db8::1:80', /written in brackets/],
    ['a link to Telegram', 'https://t.me/proxy?server=h&secret=x', /for Telegram/],
  ])('F17 %s', (_name, text, why) => {
    for (const onInvalid of ['throw', 'skip'] as const) {
      try {
        readProxyList(text, { onInvalid });
        expect.unreachable();
      } catch (error) {
        expect(error).toBeInstanceOf(InvalidProxyError);
        const { message, issues, issueCount } = error as InvalidProxyError;
        expect(message).toMatch(why);
        expect(issues.length).toBeGreaterThan(0);
        expect(issueCount).toBeGreaterThan(0);
      }
    }
  });

  it('F17 one strange line in a good list is a line, not the kind of the list', () => {
    const text = '192.0.2.1:80\n<html>\nproxies:\ncache_peer x\n192.0.2.2:80\0\n192.0.2.3:80\n';
    const { proxies, skipped } = readProxyList(text, { onInvalid: 'skip' });
    expect(proxies.map(({ id }) => id)).toEqual(['192.0.2.1:80', '192.0.2.3:80']);
    expect(skipped.count).toBe(4);
  });
});
