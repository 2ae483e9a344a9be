import { credentials } from './credentials.ts';
import { matrix } from './matrix.ts';
import { apache } from './software/apache.ts';

matrix([
  { name: 'apache2', software: apache, scheme: 'http', lacks: [] },
  { name: 'apache2, password', software: apache, scheme: 'http', credentials, lacks: [] },
  { name: 'apache2, password, TLS', software: apache, scheme: 'https', credentials, lacks: [] },
]);
