import { describe, expect, it } from 'vitest';
import { createSseParser } from './sse-parser.ts';

const feed = [
  ': heartbeat',
  '',
  'id: 7',
  'event: attempt:end',
  'data: {"proxy_id":"a:1"}',
  '',
  'retry: 1500',
  'data: one',
  'data:two',
  '',
  'event: no data',
  '',
  'data: last',
  '',
  '',
].join('\n');

const expected = [
  { type: 'attempt:end', data: '{"proxy_id":"a:1"}', id: '7' },
  { type: 'message', data: 'one\ntwo', id: '7' },
  { type: 'message', data: 'last', id: '7' },
];

describe('the reader of event streams', () => {
  it('A6 reads types, ids, data of several lines, comments and retry', () => {
    const parser = createSseParser();
    expect(parser.push(feed)).toEqual(expected);
    expect(parser.retryMs).toBe(1500);
  });

  it.each(['\n', '\r\n', '\r'])('A6 a stream cut after every byte reads the same (%j)', (end) => {
    const parser = createSseParser();
    const text = `${feed.replaceAll('\n', end)}:`;
    expect(text.split('').flatMap((byte) => parser.push(byte))).toEqual(expected);
  });

  it('an event that has not ended is not delivered', () => {
    expect(createSseParser().push('data: half\n')).toEqual([]);
  });
});
