import { credentials } from './credentials.ts';
import { socksLacks, type Lack } from './front.ts';
import { matrix } from './matrix.ts';
import { microsocks } from './software/microsocks.ts';

const lacks: Lack[] = [
  ...socksLacks,
  { cells: ['forbidden port'], because: 'microsocks has no rules' },
];

matrix([
  { name: 'microsocks', software: microsocks, scheme: 'socks5h', lacks },
  { name: 'microsocks, password', software: microsocks, scheme: 'socks5', credentials, lacks },
]);
