import type { ChildProcess } from 'node:child_process';
import { quantile } from '../measure.ts';
import { printTable } from '../table.ts';
import type { ImportDone, ImportJob } from './import-load.ts';
import { message, start } from './served.ts';

const lines = 199_999;
const address = (i: number) =>
  `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}:${8000 + (i % 1000)}`;
const list = (line: (i: number) => string, separator = '\n') =>
  Array.from({ length: lines }, (_, i) => line(i)).join(separator);
const host = (i: number) => address(i).split(':')[0] ?? '';
const port = (i: number) => 8000 + (i % 1000);

/** The formats of docs/lists.md that differ in how they are read. */
const formats: Record<string, { type: string; body: () => string }> = {
  text: { type: 'text/plain', body: () => list(address) },
  'text, a tenth of it faults': {
    type: 'text/plain',
    body: () => list((i) => (i % 10 === 0 ? 'no proxy at all' : address(i))),
  },
  'text with credentials': { type: 'text/plain', body: () => list((i) => `${address(i)}:u${i}:p`) },
  CSV: {
    type: 'text/csv',
    body: () => `ip,port,country\n${list((i) => `${host(i)},${port(i)},DE`)}`,
  },
  'CSV, one column': { type: 'text/csv', body: () => `proxy\n${list(address)}` },
  'CSV, a tenth of it faults': {
    type: 'text/csv',
    body: () => `ip,port\n${list((i) => (i % 10 === 0 ? 'x' : `${host(i)},${port(i)}`))}`,
  },
  'JSON array': {
    type: 'application/json',
    body: () => `[${list((i) => `{"host":"${host(i)}","port":${port(i)}}`, ',')}]`,
  },
  'JSON array, foreign': {
    type: 'application/json',
    body: () => `{"data":[${list((i) => `{"ip":"${host(i)}","port":"${port(i)}"}`, ',')}]}`,
  },
  'JSON lines': {
    type: 'application/x-ndjson',
    body: () => list((i) => `{"ip":"${host(i)}","port":${port(i)}}`),
  },
};

async function importOf(
  load: ChildProcess,
  format: { type: string; body: () => string },
): Promise<ImportDone> {
  const server = start('./empty-server.ts');
  const job: ImportJob = {
    address: await message<string>(server),
    path: '/api/v1/proxies/import?on_invalid=skip',
    contentType: format.type,
    body: format.body(),
  };
  load.send(job);
  const done = await message<ImportDone>(load);
  server.disconnect();
  return done;
}

/** `npm run bench api imports`: how long /health takes while a list of 199,999 lines is imported. */
export async function measureImports(): Promise<void> {
  const load = start('./import-load.ts');
  const rows = [];
  for (const [name, format] of Object.entries(formats)) {
    const { statusCode, text, tookMs, healthMs } = await importOf(load, format);
    if (statusCode !== 201) console.error(`${name}: ${statusCode} ${text}`);
    rows.push({
      list: name,
      status: String(statusCode),
      'import, ms': tookMs,
      '/health, times': healthMs.length,
      'p50, ms': quantile(healthMs, 0.5),
      'p99, ms': quantile(healthMs, 0.99),
      'slowest, ms': healthMs.at(-1) ?? NaN,
    });
  }
  load.disconnect();
  printTable(
    `/health while ${lines.toLocaleString('en-US')} lines are imported (bar: 100 ms)`,
    rows,
  );
}
