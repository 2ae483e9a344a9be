import { describe, expect, it } from 'vitest';
import { allowsHost, hostnameOf, isLoopback } from './hosts.ts';

const local = { host: '127.0.0.1', allowedHosts: ['whirl.example.com'] };

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

  it('A8 listed names are answered, in any case', () => {
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
