// Makes docs/check.svg: a real check of proxies on loopback, with addresses of the documentation in their place.
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify, stripVTControlCharacters } from 'node:util';
import { startProxy, startSocks, startTarget } from '@whirl/testkit';

const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

const command =
  'whirl check proxies.txt --url http://api.example.com/ --expect-body \'"ok":true\' --timeout 3s';

/** Runs the command against a small world; what it writes, coloured. */
async function output(): Promise<{ stdout: string; stderr: string }> {
  const target = await startTarget();
  const proxies = [
    await startProxy({ username: 'alice', password: 'secret', behaviour: latency(38) }),
    await startSocks(),
    await startProxy({ behaviour: { kind: 'hang' } }),
    await startProxy({ behaviour: { kind: 'refuse' } }),
    await startProxy({ behaviour: { kind: 'status', statusCode: 200 } }),
    await startProxy({ username: 'bob', password: 'right' }),
    await startProxy({ behaviour: latency(112) }),
  ];
  const list = proxies.map((proxy, i) => {
    if (i === 5) return `http://bob:wrong@127.0.0.1:${proxy.port}`;
    return i === 0 ? proxy.url : `127.0.0.1:${proxy.port}`;
  });
  const args = ['--url', target.url, '--expect-body', '"ok":true', '--timeout', '3s'];
  const running = promisify(execFile)(process.execPath, [main, 'check', '-', ...args], {
    env: { ...process.env, FORCE_COLOR: '1' },
  });
  running.child.stdin?.end(list.join('\n'));
  const written = await running;
  await Promise.all([target, ...proxies].map((each) => each.close()));
  // Ports of loopback mean nothing to a reader; the widths stay as they are.
  const place = (text: string) =>
    proxies.reduce(
      (all, { port }, i) => all.replaceAll(`127.0.0.1:${port}`, `192.0.2.${i + 1}:${10_080 + i}`),
      text,
    );
  return { stdout: place(written.stdout), stderr: place(written.stderr) };
}

function latency(latencyMs: number) {
  return { kind: 'ok', latencyMs } as const;
}

const colours: Readonly<Record<string, string>> = { 31: '#f47067', 32: '#6bc46d' };
const lineHeight = 19;
const cellWidth = 8.4;

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** A line of a terminal, one colour or weight for all of it, as SVG. */
function lineOf(text: string, i: number): string {
  const code = /\[(\d+)m/.exec(text)?.[1] ?? '';
  const plain = stripVTControlCharacters(text);
  const fill = colours[code] === undefined ? '' : ` fill="${colours[code]}"`;
  const weight = code === '1' ? ' font-weight="bold"' : '';
  const y = 50 + i * lineHeight;
  return `<text x="16" y="${y}"${fill}${weight} xml:space="preserve">${escaped(plain)}</text>`;
}

function svg(lines: readonly string[]): string {
  const cells = Math.max(...lines.map((line) => stripVTControlCharacters(line).length));
  const width = Math.ceil(cells * cellWidth + 32);
  const height = 50 + lines.length * lineHeight;
  const dots = ['#f47067', '#daaa3f', '#6bc46d'].map(
    (fill, i) => `<circle cx="${20 + i * 18}" cy="18" r="5" fill="${fill}"/>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(command).replaceAll('"', '&quot;')}">
<rect width="${width}" height="${height}" rx="8" fill="#22272e"/>
${dots.join('\n')}
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14" fill="#adbac7">
${lines.map(lineOf).join('\n')}
</g>
</svg>
`;
}

const { stdout, stderr } = await output();
const lines = [`$ ${command}`, ...`${stdout}${stderr}`.trimEnd().split('\n')];
await writeFile(fileURLToPath(new URL('../../docs/check.svg', import.meta.url)), svg(lines));
