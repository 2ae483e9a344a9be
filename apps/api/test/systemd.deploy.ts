import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from './programs.ts';

it('A15 systemd accepts the unit', () => {
  const folder = temporaryFolder();
  const unit = path.join(folder, 'whirl-api.service');
  const text = fs.readFileSync(
    path.join(import.meta.dirname, '../deploy/whirl-api.service'),
    'utf8',
  );
  // The program stands elsewhere on this machine.
  fs.writeFileSync(unit, text.replace('/usr/bin/node', process.execPath));
  const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', unit], {
    encoding: 'utf8',
  });
  expect([status, `${stdout}${stderr}`]).toEqual([0, '']);
});
