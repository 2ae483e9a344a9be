import { createBus, type BusOptions } from '@whirl/events';
import { at, func, refusing } from './refusing.ts';

/** What the options of the package refuse. */
export const events = [
  refusing<BusOptions>(
    at('BusOptions', '', (options) => createBus(options)),
    { onListenerError: func },
  ),
];
