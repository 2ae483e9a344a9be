import { credentials } from './credentials.ts';
import type { Lack } from './front.ts';
import { matrix } from './matrix.ts';
import { haproxy } from './software/haproxy.ts';

const because = 'haproxy has no CONNECT of its own';
const lacks: Lack[] = [
  { ways: ['tunnel', 'https', 'tunnel IPv6', 'https IPv6'], because },
  { cells: ['WebSocket'], because: `a WebSocket takes a tunnel, and ${because}` },
];

matrix([
  { name: 'haproxy', software: haproxy, scheme: 'http', lacks },
  { name: 'haproxy, password', software: haproxy, scheme: 'http', credentials, lacks },
]);
