import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const script = fileURLToPath(new URL('../../../scripts/example.mjs', import.meta.url));

function run(number: number): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, String(number)], {
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return stdout;
}

describe('X1 examples run alone against real flaky proxies', () => {
  it('X1 1 basic automatic retry succeeds through the good proxy', () => {
    const shown = run(1);
    expect(shown).toMatch(/status 200 through 127\.0\.0\.1:\d+/);
    expect(shown).toMatch(/attempt \d: \S+ success after/);
  });

  it('X1 2 a custom policy fails over without waiting', () => {
    const shown = run(2);
    expect(shown).toMatch(/policy patient: status 200/);
    expect(shown).not.toMatch(/after waiting [^0]/);
  });
});
