import { credentials } from './credentials.ts';
import { matrix } from './matrix.ts';
import { haproxyTls } from './software/haproxy.ts';
import { squid } from './software/squid.ts';

matrix([
  { name: 'squid', software: squid, scheme: 'http', lacks: [] },
  {
    name: 'squid at [::1], password',
    software: squid,
    scheme: 'http',
    host: '::1',
    credentials,
    lacks: [],
  },
  {
    name: 'squid, password, TLS by haproxy',
    software: haproxyTls,
    behind: squid,
    scheme: 'https',
    credentials,
    lacks: [],
  },
]);
