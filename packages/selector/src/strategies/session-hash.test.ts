import { expect, it } from 'vitest';
import { hashOf, keyOf, mixed, pointOf } from './session-hash.ts';

/** FNV-1a and the finalizer of MurmurHash3, written from their definitions on whole numbers without a limit. */
const word = 2n ** 32n;
function reference(text: string, seed: bigint): bigint {
  let hash = 2166136261n ^ seed;
  for (const char of text) hash = ((hash ^ BigInt(char.charCodeAt(0))) * 16777619n) % word;
  return finalized(hash);
}
function finalized(hash: bigint): bigint {
  let bits = hash;
  bits = ((bits ^ (bits >> 16n)) * 0x85ebca6bn) % word;
  bits = ((bits ^ (bits >> 13n)) * 0xc2b2ae35n) % word;
  return bits ^ (bits >> 16n);
}

const seed = 0x5bd1e995n;
const sessions = ['', 'a', 'session-1', 'a session with a long name, and ünïcödé'];

it.each(sessions)(
  'D30 the hashes of %j are those of the definitions, in every process',
  (session) => {
    expect(BigInt(hashOf(session, 0))).toBe(reference(session, 0n));
    const low = reference(session, word - 1n - seed);
    const high = reference(session, seed) % 2n ** 21n;
    const key = keyOf(session);
    expect(BigInt(key)).toBe(high * word + low);
    expect(Number.isSafeInteger(key)).toBe(true);
    for (const i of [0, 1, 20]) {
      const at = (low + BigInt(i) * 0x9e3779b1n + high) % word;
      expect(BigInt(pointOf(key, i)), `${i}`).toBe(finalized(at));
    }
  },
);

it('D30 mixed() gives the known values of the finalizer', () => {
  expect([0, 1, 0xffffffff].map((each) => mixed(each))).toEqual([0, 0x514e28b7, 0x81f16f39]);
});
