// Runs the pnpm that package.json pins, on a machine that has only Node and npm.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

const root = new URL('../package.json', import.meta.url);
const pin = JSON.parse(readFileSync(root, 'utf8')).packageManager.split('+')[0];
const child = spawn('npx', ['--yes', '--prefer-offline', pin, ...process.argv.slice(2)], {
  stdio: 'inherit',
  shell: process.platform === 'win32',
  env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1' },
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
