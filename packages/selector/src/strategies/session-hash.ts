/** A whole number from 0 to 2^32 − 1: FNV-1a, its bits mixed until each depends on all. The same in every process. */
export function hashOf(text: string, seed: number): number {
  let hash = 0x811c9dc5 ^ seed;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return mixed(hash);
}

/** The finalizer of MurmurHash3. */
export function mixed(hash: number): number {
  let bits = hash;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

const sessionSeed = 0x5bd1e995;

/** A session as other processes know it: 53 bits of a hash, so that ids of sessions stay here. */
export function keyOf(sessionId: string): number {
  const high = hashOf(sessionId, sessionSeed) & 0x1fffff;
  return high * 2 ** 32 + hashOf(sessionId, ~sessionSeed);
}

/** Where on the ring a session looks for candidates, for the `i`th time. */
export function pointOf(key: number, i: number): number {
  return mixed((key % 2 ** 32) + Math.imul(i, 0x9e3779b1) + Math.floor(key / 2 ** 32));
}
