// Writes openapi.json: the document that the server serves at /openapi.json, for review and clients.
import { writeFileSync } from 'node:fs';
import { ProxyRotator } from '@whirl/rotator';
import { format, resolveConfig } from 'prettier';
import { buildApp } from './app.ts';

const file = new URL('../openapi.json', import.meta.url);
const rotator = new ProxyRotator();
const app = await buildApp({ rotator, dashboard: false });
const config = await resolveConfig(file);
const text = await format(JSON.stringify(app.swagger()), { ...config, parser: 'json' });
writeFileSync(file, text);
await app.close();
await rotator.destroy();
