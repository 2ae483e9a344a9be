import { simpleCredentials } from './credentials.ts';
import type { Lack } from './front.ts';
import { matrix } from './matrix.ts';
import { tinyproxy } from './software/tinyproxy.ts';

const lacks: Lack[] = [
  {
    ways: ['plain', 'plain IPv6'],
    cells: ['forbidden port'],
    because: 'tinyproxy limits the ports of CONNECT alone',
  },
];

matrix([
  { name: 'tinyproxy', software: tinyproxy, scheme: 'http', lacks },
  {
    name: 'tinyproxy, password',
    software: tinyproxy,
    scheme: 'http',
    credentials: simpleCredentials,
    lacks: [
      ...lacks,
      {
        ways: ['plain', 'plain IPv6'],
        cells: ['wrong password'],
        because: 'tinyproxy says 401 to a wrong password, as a target would: it is the response',
      },
    ],
  },
]);
