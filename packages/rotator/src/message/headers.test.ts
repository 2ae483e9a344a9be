import { describe, expect, it } from 'vitest';
import { flatHeaders, hasHeader } from './headers.ts';

describe('flatHeaders', () => {
  it('joins cookies in one line, at the place of the first', () => {
    expect(flatHeaders(['Cookie', 'a=1', 'x', 'y', 'cookie', 'b=2', 'COOKIE', 'c=3'])).toEqual([
      'Cookie',
      'a=1; b=2; c=3',
      'x',
      'y',
    ]);
  });

  it('takes every shape, and keeps repeated names', () => {
    const flat = ['a', '1', 'b', '2', 'b', '3'];
    expect(flatHeaders({ a: '1', b: ['2', '3'], c: undefined })).toEqual(flat);
    expect(flatHeaders(flat)).toEqual(flat);
    expect(
      flatHeaders(
        new Map<string, unknown>([
          ['a', '1'],
          ['b', ['2', '3']],
        ]),
      ),
    ).toEqual(flat);
    expect(
      flatHeaders([
        ['a', '1'],
        ['b', '2'],
        ['b', '3'],
      ]),
    ).toEqual(flat);
    expect(flatHeaders(new Headers({ a: '1' }))).toEqual(['a', '1']);
    expect(flatHeaders(null)).toEqual([]);
    expect([hasHeader(['A', '1'], 'a'), hasHeader(flat, '1')]).toEqual([true, false]);
  });

  it('a target never sees proxy-authorization, in whatever shape it was given', () => {
    const secret = 'Basic aHVudGVyMg==';
    for (const given of [
      { 'Proxy-Authorization': secret },
      new Headers({ 'proxy-authorization': secret }),
      new Map([['PROXY-AUTHORIZATION', secret]]),
      ['proxy-authorization', secret],
    ]) {
      expect(flatHeaders(given)).toEqual([]);
    }
  });

  it('a content-length that is given twice is sent once', () => {
    expect(flatHeaders(['content-length', '5', 'Content-Length', '5'])).toEqual([
      'content-length',
      '5',
    ]);
    expect(flatHeaders({ 'content-length': '5, 5' })).toEqual(['content-length', '5']);
    expect(flatHeaders({ 'content-length': '5, 6' })).toEqual(['content-length', '5, 6']);
  });

  it('refuses what HTTP does not allow, naming the header and not its value', () => {
    expect(() => flatHeaders({ 'a b': '1' })).toThrow(/"a b" is not valid/);
    expect(() => flatHeaders({ a: 'hunter2\n' })).toThrow(/^(?!.*hunter2).*"a" is not valid/);
    expect(() => flatHeaders({ upgrade: 'x' })).toThrow(/"upgrade" cannot be set/);
    expect(() => flatHeaders(['a'])).toThrow(/alternate/);
  });
});
