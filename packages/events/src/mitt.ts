import * as mittModule from 'mitt';
import type { Emitter } from 'mitt';

/**
 * mitt 3.0.1 declares its default export in a way that `moduleResolution: nodenext` reads as the
 * module. Its function is unwrapped here, once, and no type of it reaches a public declaration.
 */
type Create = () => Emitter<Record<string, unknown>>;

const exported: unknown = (mittModule as { default: unknown }).default;

export const createEmitter: Create = (
  typeof exported === 'function' ? exported : (exported as { default: unknown }).default
) as Create;
