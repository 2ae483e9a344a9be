import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { whirl } from './support/whirl.ts';

describe('L5 whirl completion', () => {
  /** What bash offers when the cursor stands behind the last word. */
  async function offered(...words: readonly string[]): Promise<string[]> {
    const { stdout } = await whirl(['completion', 'bash']);
    const script = `${stdout}
COMP_WORDS=(whirl "$@"); COMP_CWORD=$#
compopt() { :; }
_whirl; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const printed = execFileSync('bash', ['-c', script, 'bash', ...words], {
      cwd: new URL('..', import.meta.url),
      encoding: 'utf8',
    });
    return printed.split('\n').filter((line) => line !== '');
  }

  it('its help names the shells', async () => {
    const { stdout } = await whirl(['completion', '--help']);
    expect(stdout).toContain('choices: "bash", "zsh", "fish"');
  });

  it('bash is offered the commands', async () => {
    expect(await offered('')).toEqual([
      ...['check', 'get', 'serve', 'bench', 'completion', '--help', '--version'],
    ]);
    expect(await offered('ch')).toEqual(['check']);
  });

  it('bash is offered the options of a command, their values, and files', async () => {
    expect(await offered('check', '--expect')).toEqual(['--expect-status', '--expect-body']);
    expect(await offered('check', 'list.txt', '--format', '')).toEqual([
      ...['table', 'json', 'ndjson', 'csv', 'plain'],
    ]);
    expect(await offered('check', '--url', '')).toEqual([]);
    expect(await offered('check', 'READ')).toEqual(['README.md']);
    expect(await offered('get', 'http://a/', '-o', 'READ')).toEqual(['README.md']);
    expect(await offered('serve', '--gateway-a')).toEqual([
      '--gateway-auth',
      '--gateway-auth-file',
    ]);
    expect(await offered('serve', '--proxies-file', 'READ')).toEqual(['README.md']);
    expect(await offered('serve', '--log-level', 'de')).toEqual(['debug']);
    expect(await offered('completion', '')).toEqual(['bash', 'zsh', 'fish']);
  });

  it('every option is in the completion of every shell', async () => {
    const { stdout: help } = await whirl(['check', '--help']);
    const options = [...help.matchAll(/^ {2}(?:-\w, )?--([a-z-]+)/gm)].map(([, name]) => name);
    expect(options.length).toBeGreaterThan(15);
    for (const shell of ['bash', 'zsh', 'fish']) {
      const { code, stdout } = await whirl(['completion', shell]);
      expect(code).toBe(0);
      for (const option of options) expect(stdout, shell).toContain(option);
    }
  });

  it('another shell is refused by name', async () => {
    const { code, stderr } = await whirl(['completion', 'tcsh']);
    expect(code).toBe(2);
    expect(stderr).toContain('<shell> must be "bash", "zsh" or "fish", got ');
  });
});
