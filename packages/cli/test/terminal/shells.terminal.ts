import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { main, openScreen } from './tmux.ts';

const patiently = { timeout: 60_000, interval: 100 };
const whirl = `whirl() { '${process.execPath}' '${main}' "$@"; }`;

describe('L5 completion in real shells', () => {
  it('bash completes commands and options at Tab', async () => {
    const screen = openScreen();
    screen.run('eval "$(whirl completion bash)"; clear; echo ready');
    await expect.poll(() => screen.text(), patiently).toContain('ready');
    screen.press('whirl ch', 'Tab');
    await expect.poll(() => screen.text(), patiently).toContain('whirl check');
    screen.press('list.txt --form', 'Tab');
    await expect.poll(() => screen.text(), patiently).toContain('whirl check list.txt --format');
    screen.press('nd', 'Tab');
    await expect.poll(() => screen.text(), patiently).toContain('--format ndjson');
  });

  it('zsh does, too', async () => {
    const screen = openScreen({ shell: 'zsh -f' });
    screen.run(`autoload -Uz compinit && compinit -u -D; ${whirl}`);
    screen.run('source <(whirl completion zsh); clear; echo ready');
    await expect.poll(() => screen.text(), patiently).toMatch(/^ready/m);
    screen.press('whirl ch', 'Tab');
    await expect.poll(() => screen.text(), patiently).toContain('whirl check');
    screen.press('list.txt --form', 'Tab');
    await expect.poll(() => screen.text(), patiently).toContain('whirl check list.txt --format');
    screen.press('nd', 'Tab');
    await expect.poll(() => screen.text(), patiently).toContain('--format ndjson');
  });

  it('fish does, too', () => {
    const script = execFileSync(process.execPath, [main, 'completion', 'fish'], {
      encoding: 'utf8',
    });
    const offered = (line: string) =>
      execFileSync('fish', ['-N', '-c', `${script}\ncomplete -C '${line}'`], { encoding: 'utf8' })
        .trimEnd()
        .split('\n')
        .map((each) => each.split('\t')[0]);
    expect(offered('whirl ch')).toEqual(['check']);
    expect(offered('whirl check list.txt --form')).toEqual(['--format']);
    expect(offered('whirl check list.txt --format nd')).toEqual(['ndjson']);
  });
});
