import { describe, expect, it } from 'vitest';
import { createLogger } from './log.ts';

describe('A10 the log', () => {
  it('A10 an error is logged without its own fields: one of them may hold a password', () => {
    let line = '';
    const logger = createLogger('info', { write: (text: string) => (line += text) });
    const error = Object.assign(new Error('it broke'), {
      code: 'E_BROKE',
      proxyUrl: 'http://bob:hunter2@proxy.example.com:8080',
    });
    logger.error({ err: error }, 'unexpected error');
    expect(JSON.parse(line)).toMatchObject({
      level: 50,
      msg: 'unexpected error',
      err: { type: 'Error', code: 'E_BROKE', message: 'it broke' },
    });
    expect(line).not.toContain('hunter2');
  });
});
