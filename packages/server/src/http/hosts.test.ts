import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { allowsHost, hostnameOf, isLoopback, toOriginForm } from './hosts.ts';

const local = { host: '127.0.0.1', allowedHosts: ['whirl.example.com'] };

describe('A8 the target of a request', () => {
  it.each([
    ['http://evil.example.com/api?a=1', 'evil.example.com', '/api?a=1'],
    ['HTTPS://localhost:8000', 'localhost:8000', '/'],
    ['http://localhost?a', 'localhost', '/?a'],
    ['http://user@localhost/', 'user@localhost', '/'],
    ['http:///api', '', '/api'],
    ['/http://evil.example.com/', 'given', '/http://evil.example.com/'],
    ['*', 'given', '*'],
    ['ftp://evil.example.com/', 'given', 'ftp://evil.example.com/'],
  ])('A8 %j has the host %j and the path %j', (url, host, path) => {
    const request = { url, headers: { host: 'given' } };
    expect(toOriginForm(request as unknown as IncomingMessage)).toBe(path);
    expect(request.headers.host).toBe(host);
  });
});

describe('A8 Host headers', () => {
  it.each([
    ['localhost:8000', 'localhost'],
    ['[::1]:8000', '::1'],
    ['[::1]', '::1'],
    ['Example.COM.', 'example.com'],
    ['a:b', undefined],
    ['user@localhost', undefined],
    ['::1', undefined],
    ['', undefined],
  ])('A8 the name in %j is %j', (header, name) => {
    expect(hostnameOf(header)).toBe(name);
  });

  it('A8 a request without a Host is refused', () => {
    expect(allowsHost(undefined, local)).toBe(false);
    expect(allowsHost('', local)).toBe(false);
  });

  it('A8 listed names are served, in any case', () => {
    expect(allowsHost('WHIRL.example.com:80', local)).toBe(true);
    expect(allowsHost('other.example.com', local)).toBe(false);
  });

  it('A8 loopback is what only this machine reaches', () => {
    expect(['127.0.0.1', '127.9.9.9', '::1', 'localhost'].every(isLoopback)).toBe(true);
    expect(['0.0.0.0', '::', '10.0.0.1', '127.evil.com', 'example.com'].some(isLoopback)).toBe(
      false,
    );
  });
});
