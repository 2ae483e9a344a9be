import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProxy, startTarget } from '@whirl/testkit';
import { describe, expect, it } from 'vitest';
import { use } from '../support/whirl.ts';
import { openScreen } from './tmux.ts';

const patiently = { timeout: 60_000, interval: 100 };

/** A target, and a list of good proxies with some at its end that never answer. */
async function world(good: number, silent: number) {
  const target = use(await startTarget());
  const proxy = use(await startProxy());
  const hang = use(await startProxy({ behaviour: { kind: 'hang' } }));
  const folder = await mkdtemp(join(tmpdir(), 'whirl-list-'));
  use({ close: () => rm(folder, { recursive: true }) });
  const list = join(folder, 'list.txt');
  const lines = [...Array<string>(good).fill(proxy.url), ...Array<string>(silent).fill(hang.url)];
  await writeFile(list, `${lines.join('\n')}\n`);
  return { list, url: target.url };
}

describe('L1 whirl check on a terminal', () => {
  it('draws a bar that is gone when the table stands there', async () => {
    const { list, url } = await world(3, 1);
    const screen = openScreen();
    screen.run(`whirl check ${list} --url ${url} --timeout 4s; echo "code $?"`);
    await expect.poll(() => screen.text(), patiently).toMatch(/█+░+ 3\/4 {2}ok 3 {2}bad 0/);
    expect(screen.cursor()).toBe(false);
    await expect.poll(() => screen.text(), patiently).toContain('code 0');
    const text = screen.text();
    expect(text).not.toMatch(/[█░]/);
    expect(text).toMatch(/line +proxy +ok/);
    expect(text).toMatch(/whirl: 3 of 4 work \(http 3\); bad: timeout 1; /);
    expect(screen.cursor()).toBe(true);
  });

  it('a narrower terminal gets a narrower bar, and Ctrl-C leaves nothing of it', async () => {
    const { list, url } = await world(3, 1);
    const screen = openScreen();
    screen.run(`whirl check ${list} --url ${url} --timeout 1h --format csv; echo "code $?"`);
    await expect.poll(() => screen.text(), patiently).toContain('3/4  ok 3  bad 0');
    screen.resize(40, 30);
    // Too narrow for the bar, so the text is alone.
    await expect.poll(() => screen.text(), patiently).toMatch(/^3\/4 {2}ok 3/m);
    screen.press('C-c');
    await expect.poll(() => screen.text(), patiently).toContain('code 130');
    const text = screen.text();
    expect(text).not.toMatch(/[█░]/);
    expect(text).not.toMatch(/^3\/4/m);
    expect(text.match(/true,http/g)).toHaveLength(3);
    expect(screen.cursor()).toBe(true);
  });

  it('colours what works and what does not, and nothing under NO_COLOR', async () => {
    const { list, url } = await world(1, 1);
    const coloured = openScreen();
    const plain = openScreen({ env: { NO_COLOR: '1' } });
    for (const screen of [coloured, plain]) {
      screen.run(`whirl check ${list} --url ${url} --timeout 2s; echo "code $?"`);
    }
    for (const screen of [coloured, plain]) {
      await expect.poll(() => screen.text(), patiently).toContain('code 0');
    }
    expect(coloured.text({ colours: true })).toMatch(/\[32m.* ok /);
    expect(coloured.text({ colours: true })).toMatch(/\[31m.* bad /);
    expect(plain.text({ colours: true })).not.toMatch(/\[3\dm/);
  });

  it('a reader that closes its end leaves nothing of the bar', async () => {
    const { list, url } = await world(3, 1);
    const screen = openScreen();
    screen.run(`whirl check ${list} --url ${url} -c 1 -f ndjson | head -n 1 > /dev/null`);
    screen.run('echo "codes ${PIPESTATUS[*]}"');
    await expect.poll(() => screen.text(), patiently).toMatch(/^codes 0 0$/m);
    expect(screen.text()).not.toMatch(/EPIPE|[█░]/);
    expect(screen.cursor()).toBe(true);
  });
});
