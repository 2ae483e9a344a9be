import { replaceFile } from '../file/replace-file.ts';

// Replaces a file over and over, and tells of each time.
const path = process.argv[2] ?? '';
const proxies = Array.from({ length: 2050 }, (_, i) => [`p${i}`, 9, 1, 100, 1]);
const file = { kind: 'whirl-warm-start', version: 1, pool: 'p' };
for (let saves = 0; ; saves++) {
  const savedAt = Date.now() * 1000 + saves;
  await replaceFile(path, JSON.stringify({ ...file, savedAt, proxies, bans: [] }));
  process.send?.(saves);
}
