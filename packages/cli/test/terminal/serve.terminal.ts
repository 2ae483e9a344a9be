import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProxy, startTarget } from '@whirl/testkit';
import { describe, expect, it } from 'vitest';
import { use } from '../support/whirl.ts';
import { openScreen } from './tmux.ts';

const patiently = { timeout: 60_000, interval: 100 };
const free = '--gateway 127.0.0.1:0 --api 127.0.0.1:0';

describe('L3 whirl serve on a terminal', () => {
  it('tells what to paste, which works, and Ctrl-C ends it with 0', async () => {
    const target = use(await startTarget());
    const proxy = use(await startProxy());
    const folder = await mkdtemp(join(tmpdir(), 'whirl-list-'));
    use({ close: () => rm(folder, { recursive: true }) });
    const list = join(folder, 'list.txt');
    await writeFile(list, `${proxy.url}\n`);
    const screen = openScreen({ columns: 120 });
    const other = openScreen({ columns: 120 });
    screen.run(`whirl serve --proxies-file ${list} ${free}; echo "code $?"`);
    await expect.poll(() => screen.text(), patiently).toMatch(/^whirl: 1 proxy, gateway at /m);
    const curl = /^ {2}(curl -x \S+) /m.exec(screen.text())?.[1] ?? '';
    other.run(`${curl} -s -o /dev/null -w 'status %{http_code}\\n' ${target.url}`);
    await expect.poll(() => other.text(), patiently).toMatch(/^status 200$/m);
    screen.resize(60, 30);
    screen.press('C-c');
    await expect.poll(() => screen.text(), patiently).toMatch(/^code 0$/m);
    expect(screen.text()).not.toMatch(/"level"|Error/);
  });

  it('takes what whirl check writes into its pipe, and warns in words', async () => {
    const target = use(await startTarget());
    const screen = openScreen();
    const plain = openScreen({ env: { NO_COLOR: '1' } });
    const check = `echo 127.0.0.1:9 | whirl check - -u ${target.url} -t 5s -q -f plain`;
    for (const each of [screen, plain]) {
      each.run(`${check} | whirl serve --proxies-file - ${free}; echo "code $?"`);
    }
    for (const each of [screen, plain]) {
      await expect.poll(() => each.text(), patiently).toMatch(/^whirl: 0 proxies, gateway at /m);
      expect(each.text()).toMatch(/^whirl: warning: the pool has no proxies/m);
    }
    expect(screen.text({ colours: true })).toContain('\u001B[33mwarning');
    expect(plain.text({ colours: true })).not.toContain('\u001B[33m');
    for (const each of [screen, plain]) each.press('C-c');
    for (const each of [screen, plain]) {
      await expect.poll(() => each.text(), patiently).toMatch(/^code 0$/m);
    }
  });
});
