import mitt, { type Emitter } from 'mitt';

/**
 * mitt 3.0.1 declares its default export in a way that `moduleResolution: nodenext` reads as the
 * module, not the function. What it gives is named here, once, and no type of it reaches a public
 * declaration, so that a consumer's compiler never comes across it.
 */
export const createEmitter = mitt as () => Emitter<Record<string, unknown>>;
