import { settings, version } from '@whirl/server';
import { describe, expect, it } from 'vitest';
import { createCommand, parseFlags } from './command-line.ts';

describe('A9 the command line', () => {
  it('A9 gives each flag to its setting', () => {
    const argv = ['-c', 'x.json', '--port', '3', '--no-demo', '--proxies-on-invalid', 'skip'];
    expect(parseFlags([...argv, '--token-file', '/other'])).toEqual({
      config: 'x.json',
      port: '3',
      demo: false,
      proxiesOnInvalid: 'skip',
      tokenFile: '/other',
    });
  });

  it('A9 names every flag and every variable, in lines of at most 100 characters', () => {
    let help = '';
    createCommand()
      .configureOutput({ writeOut: (text) => (help += text) })
      .outputHelp();
    for (const setting of Object.values(settings)) {
      expect(help).toContain(setting.variable);
      if ('flag' in setting) expect(help).toContain(`--${setting.flag}`);
    }
    expect(Math.max(...help.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
  });

  it('A9 --version says which one it is, and nothing else', () => {
    let said = '';
    const command = createCommand()
      .exitOverride()
      .configureOutput({ writeOut: (text) => (said += text) });
    expect(() => parseFlags(['--version'], command)).toThrow(version);
    expect(said).toBe(`${version}\n`);
  });

  it('A9 an unknown flag is refused', () => {
    const command = createCommand()
      .exitOverride()
      .configureOutput({ writeErr: () => {} });
    expect(() => parseFlags(['--prot', '1'], command)).toThrow(/unknown option '--prot'/);
    expect(() => parseFlags(['extra'], command)).toThrow(/too many arguments/);
  });
});
