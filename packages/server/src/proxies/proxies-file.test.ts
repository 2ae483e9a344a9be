import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ProxyRotator } from '@whirl/rotator';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ProxiesFile, type ProxiesFileOptions } from './proxies-file.ts';

function start(text: string, options: Partial<ProxiesFileOptions> = {}) {
  const folder = mkdtempSync(path.join(tmpdir(), 'whirl-proxies-'));
  const name = options.path ?? path.join(folder, 'proxies.txt');
  if (options.path === undefined) writeFileSync(name, text);
  const lines: string[] = [];
  const line = (fields: object, message: string) =>
    lines.push(`${message} ${JSON.stringify(fields)}`);
  const rotator = new ProxyRotator();
  const file = new ProxiesFile({
    rotator,
    logger: { debug: line, info: line, warn: line, error: line },
    settleMs: 5,
    pollMs: 20,
    ...options,
    path: name,
  });
  onTestFinished(async () => {
    file.close();
    await rotator.destroy();
    rmSync(folder, { recursive: true });
  });
  const ids = () => rotator.proxies().map(({ id }) => id);
  const joined = (id: string) =>
    new Promise<void>((resolve) => {
      rotator.bus.on('proxy:added', ({ proxyId }) => proxyId === id && resolve());
    });
  return { folder, name, file, rotator, lines, ids, joined };
}

async function messageOf(act: Promise<void>): Promise<string> {
  try {
    await act;
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('it was expected to throw');
}

describe('A9 the proxies file', () => {
  it('A9 a changed list is swapped whole: kept proxies keep what was learned', async () => {
    const { name, file, rotator, ids } = start('p1:1\np2:2\n');
    await file.load();
    rotator.forceOpenCircuitBreaker('p1:1');
    writeFileSync(name, 'p3:3\np1:1 # still here\n');
    await file.reload();
    expect(ids().sort()).toEqual(['p1:1', 'p3:3']);
    expect(rotator.getCircuitBreakerStates().get('p1:1')?.state).toBe('forced_open');
  });

  it('A15 a proxy whose password or attributes changed keeps what is known and forced', async () => {
    const { name, file, rotator, ids } = start('http://bob:old@p1:1');
    await file.load();
    rotator.forceOpenCircuitBreaker('bob@p1:1');
    let changes = 0;
    for (const type of ['proxy:added', 'proxy:removed'] as const) {
      rotator.bus.on(type, () => changes++);
    }
    for (const text of [
      'http://bob:new@p1:1',
      '[{"url":"http://bob:new@p1:1","region":"eu","weight":2}]',
    ]) {
      writeFileSync(name, text);
      await file.reload();
      expect(ids()).toEqual(['bob@p1:1']);
      expect(rotator.getCircuitBreakerStates().get('bob@p1:1')?.state).toBe('forced_open');
    }
    expect(rotator.proxies()[0]).toMatchObject({ region: 'eu', weight: 2 });
    expect(changes).toBe(0);
  });

  it('A15 every wrong line is named, up to 20, and never more of it than host and port', async () => {
    const text = Array.from({ length: 30 }, (_, i) => `bob:hunter2@p${i}:0`).join('\n');
    const { name, file, lines } = start('p1:1\n');
    await file.load();
    writeFileSync(name, text);
    await file.reload();
    await file.reload();
    expect(lines).toHaveLength(1);
    for (const n of [1, 20]) expect(lines[0]).toContain(`{"line":${n},"reason":`);
    expect(lines[0]).not.toContain('{"line":21,');
    expect(lines[0]).not.toContain('hunter2');
    const refused = start(text);
    const message = await messageOf(refused.file.load());
    expect(message.split('\n')).toHaveLength(22);
    expect(message).toContain('proxies.txt: 30 entries cannot be used\n');
    expect(message).toMatch(/proxies\.txt: 20: "\*\*\*@p19:0" is not a proxy: its port must be/);
    expect(message).toMatch(/proxies\.txt: and 10 more$/);
    expect(message).not.toContain('hunter2');
  });

  it('A4c with skip each new list is logged in one line, with the first three reasons', async () => {
    const bad = 'x\ny\nz\nbob:hunter2\n';
    const { name, file, ids, lines } = start(`p1:1\np1:1\nsocks5://p1:1\np2:2\n${bad}`, {
      list: { onInvalid: 'skip' },
    });
    await file.load();
    await file.reload();
    expect(ids()).toEqual(['p1:1', 'p2:2']);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^2 proxies, 1 conflicts, 1 duplicates, 4 skipped /);
    expect(lines[0]).toContain('"first":["5: a single word is not a proxy: it has no port"');
    expect(lines[0]).not.toMatch(/"8: |hunter2/);
    writeFileSync(name, bad);
    await file.reload();
    await file.reload();
    expect(ids()).toEqual(['p1:1', 'p2:2']);
    expect(lines).toHaveLength(2);
    expect(lines[1]).toMatch(/last good list stays in use.*none of 4 lines is a proxy/);
  });

  it('A4c the format and the default protocol are those of the settings', async () => {
    const { file, rotator } = start('p1:1:de\np2:2:fr\n', {
      list: { format: 'host:port:region', defaultProtocol: 'socks5' },
    });
    await file.load();
    expect(rotator.proxies()).toMatchObject([
      { url: 'socks5://p1:1', region: 'DE' },
      { url: 'socks5://p2:2', region: 'FR' },
    ]);
    const ids = start('metrics,p1,1', { list: { format: 'id,host,port' } });
    await expect(ids.file.load()).rejects.toThrow(/line 1: p1:1: its id must not be/);
  });

  it('A9 a list with an error changes nothing, is reported once, and without passwords', async () => {
    const { name, file, ids, lines } = start('p1:1\n');
    await file.load();
    writeFileSync(name, 'p2:2\nftp://bob:hunter2@p3:3\n');
    await file.reload();
    await file.reload();
    expect(ids()).toEqual(['p1:1']);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/last good list stays.*line 2/);
    expect(lines[0]).not.toContain('hunter2');
    writeFileSync(name, 'p2:2\n');
    await file.reload();
    expect(ids()).toEqual(['p2:2']);
  });

  it('A9 a file that is truncated and written later never empties the pool', async () => {
    const { name, file, rotator, ids, lines, joined } = start('a:1\nb:1\n');
    await file.load();
    file.watch();
    let removed = 0;
    rotator.bus.on('proxy:removed', () => removed++);
    const refused = new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        if (lines.length > 0) resolve(clearInterval(timer));
      }, 1);
    });
    writeFileSync(name, '');
    await refused;
    expect(lines[0]).toMatch(/last good list stays.*it names no proxy/);
    const third = joined('d:1');
    writeFileSync(name, 'a:1\nb:1\nd:1\n');
    await third;
    expect(ids()).toEqual(['a:1', 'b:1', 'd:1']);
    expect(removed).toBe(0);
  });

  it.each(['', ' \n', '# a:1\n', '\uFEFF'])('A9 %j after a list is an error', async (text) => {
    const { name, file, ids, lines } = start('a:1\n');
    await file.load();
    writeFileSync(name, text);
    await file.reload();
    await file.reload();
    expect(ids()).toEqual(['a:1']);
    expect(lines).toHaveLength(1);
  });

  it('A9 [] empties; then, and at the start, an empty file is fine', async () => {
    const { name, file, ids, lines } = start('');
    await file.load();
    for (const [text, then] of [
      ['a:1\n', ['a:1']],
      [' [ ]\n', []],
      ['', []],
    ] as const) {
      writeFileSync(name, text);
      await file.reload();
      expect(ids()).toEqual(then);
    }
    expect(lines.join()).not.toContain('not loaded');
  });

  it('A9 half a character in a list changes nothing', async () => {
    const { name, file, ids, lines } = start('p1:1\n');
    await file.load();
    writeFileSync(name, '["p2:2", {"url":"p3:3:bob:hunter2\\ud800"}, "p4:4"]');
    await file.reload();
    expect(ids()).toEqual(['p1:1']);
    expect(lines[0]).toContain('the credentials of the proxy p3:3 must be well-formed Unicode');
    expect(lines[0]).not.toContain('hunter2');
  });

  it('A9 a file that is gone changes nothing', async () => {
    const { name, file, ids, lines } = start('p1:1\n');
    await file.load();
    rmSync(name);
    await file.reload();
    expect(ids()).toEqual(['p1:1']);
    expect(lines[0]).toContain('ENOENT');
  });

  it('A9 at the start a file with an error, or none, is refused by name', async () => {
    const bad = start('nonsense\n');
    await expect(bad.file.load()).rejects.toThrow(
      /proxies\.txt: line 1: a single word is not a proxy: it has no port$/,
    );
    const none = start('', { path: '/no/such/list.txt' });
    await expect(none.file.load()).rejects.toThrow('/no/such/list.txt: cannot be read (ENOENT)');
  });

  it('A9 the file owns only the proxies that it brought', async () => {
    const { name, file, rotator, ids, lines } = start('p1:1\nmine:9\n');
    rotator.addProxy('mine:9');
    await file.load();
    expect(lines[0]).toContain('mine:9');
    rotator.addProxy('other:8');
    writeFileSync(name, 'p2:2\n');
    await file.reload();
    expect(ids().sort()).toEqual(['mine:9', 'other:8', 'p2:2']);
  });

  it('A9 one that was removed by hand comes back with the next list that names it', async () => {
    const { name, file, rotator, ids } = start('p1:1\n');
    await file.load();
    rotator.removeProxy('p1:1');
    await file.reload();
    expect(ids()).toEqual([]);
    writeFileSync(name, 'p1:1\np2:2\n');
    await file.reload();
    expect(ids()).toEqual(['p1:1', 'p2:2']);
  });

  it('A9 one that was removed and added again by hand is no longer of the file', async () => {
    const { name, file, rotator, ids } = start('a:1\nb:1\n');
    await file.load();
    rotator.removeProxy('a:1');
    rotator.addProxy({ url: 'http://me:pw@a:1', id: 'a:1' });
    writeFileSync(name, 'b:1\n');
    await file.reload();
    expect(ids().sort()).toEqual(['a:1', 'b:1']);
    expect(rotator.proxies().map(({ url }) => url)).toContain('http://me@a:1');
  });

  it('A9 a JSON list is understood as well', async () => {
    const { file, rotator } = start('[{"url":"p1:1","id":"one","region":"eu"},"p2:2"]');
    await file.load();
    expect(rotator.proxies()).toMatchObject([{ id: 'one', region: 'eu' }, { id: 'p2:2' }]);
  });

  it('A9 a JSON list has the fields of the API, and its rules', async () => {
    const { name, file, ids, lines } = start('[{"url":"p1:1","max_concurrent":2}]');
    await file.load();
    expect(ids()).toEqual(['p1:1']);
    for (const entry of ['{"url":"p2:2","id":"metrics"}', '{"url":"p2:2","maxConcurrent":2}']) {
      writeFileSync(name, `["p1:1", ${entry}]`);
      await file.reload();
      expect(lines.at(-1)).toContain('entry 2: ');
    }
    expect(lines).toHaveLength(2);
    expect(ids()).toEqual(['p1:1']);
  });

  it("A9 an editor's rename is noticed, and the write after it too", async () => {
    const { folder, name, file, joined, ids } = start('p1:1\n', { pollMs: 3_600_000 });
    await file.load();
    file.watch();
    const second = joined('p2:2');
    writeFileSync(path.join(folder, '.new'), 'p2:2\n');
    renameSync(path.join(folder, '.new'), name);
    await second;
    const third = joined('p3:3');
    writeFileSync(name, 'p3:3\n');
    await third;
    expect(ids()).toEqual(['p3:3']);
  });

  it('A9 a Kubernetes symlink swap is noticed', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'whirl-volume-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    for (const [version, text] of [
      ['v1', 'p1:1\n'],
      ['v2', 'p2:2\n'],
    ] as const) {
      mkdirSync(path.join(folder, version));
      writeFileSync(path.join(folder, version, 'proxies.txt'), text);
    }
    symlinkSync('v1', path.join(folder, '..data'));
    symlinkSync('..data/proxies.txt', path.join(folder, 'proxies.txt'));
    const { file, joined, ids } = start('', {
      path: path.join(folder, 'proxies.txt'),
      pollMs: 3_600_000,
    });
    await file.load();
    file.watch();
    const swapped = joined('p2:2');
    symlinkSync('v2', path.join(folder, '..data_tmp'));
    renameSync(path.join(folder, '..data_tmp'), path.join(folder, '..data'));
    await swapped;
    expect(ids()).toEqual(['p2:2']);
  });

  it('A9 polling alone notices a change, where the platform reports none', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'whirl-far-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(path.join(folder, 'real.txt'), 'p1:1\n');
    const link = mkdtempSync(path.join(tmpdir(), 'whirl-near-'));
    onTestFinished(() => rmSync(link, { recursive: true }));
    // A write behind a link touches nothing in the link's own folder.
    symlinkSync(path.join(folder, 'real.txt'), path.join(link, 'proxies.txt'));
    const { file, joined } = start('', { path: path.join(link, 'proxies.txt') });
    await file.load();
    file.watch();
    const second = joined('p2:2');
    writeFileSync(path.join(folder, 'real.txt'), 'p1:1\np2:2\n');
    await second;
  });
});
