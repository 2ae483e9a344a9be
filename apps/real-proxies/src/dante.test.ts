import { systemUser } from './credentials.ts';
import { socksLacks } from './front.ts';
import { matrix } from './matrix.ts';
import { namespaces } from './namespaces.ts';
import { dante } from './software/dante.ts';

const withUser = namespaces
  ? socksLacks
  : [{ because: "dante's passwords are those of the machine's users: needs private namespaces" }];

matrix([
  { name: 'dante', software: dante, scheme: 'socks5h', lacks: socksLacks },
  {
    name: 'dante, SOCKS4',
    software: dante,
    scheme: 'socks4',
    lacks: [
      ...socksLacks,
      { ways: ['tunnel IPv6', 'https IPv6'], because: 'SOCKS4 carries IPv4 addresses alone' },
    ],
  },
  {
    name: 'dante, password',
    software: dante,
    scheme: 'socks5h',
    credentials: systemUser,
    lacks: withUser,
  },
]);
