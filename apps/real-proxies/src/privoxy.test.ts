import { matrix } from './matrix.ts';
import { privoxy } from './software/privoxy.ts';

matrix([{ name: 'privoxy', software: privoxy, scheme: 'http', lacks: [] }]);
