import { credentials } from './credentials.ts';
import type { Lack } from './front.ts';
import { matrix } from './matrix.ts';
import { nginx } from './software/nginx.ts';

const because = 'nginx 1.22 has no CONNECT';
const lacks: Lack[] = [
  { ways: ['tunnel', 'https', 'tunnel IPv6', 'https IPv6'], because },
  { cells: ['WebSocket'], because: `a WebSocket takes a tunnel, and ${because}` },
];

matrix([
  { name: 'nginx', software: nginx, scheme: 'http', lacks },
  { name: 'nginx, password', software: nginx, scheme: 'http', credentials, lacks },
  { name: 'nginx, TLS', software: nginx, scheme: 'https', lacks },
]);
