import { describe, expect, it } from 'vitest';
import { sourceOf } from './body-source.ts';
import { maxRecordedBytes, Recording, type BodyReader } from './recording.ts';

function record(source: object, options: { record?: boolean; expected?: number } = {}) {
  return new Recording((report) => sourceOf(source, report), {
    record: options.record ?? true,
    expected: options.expected,
  });
}

async function read(reader: BodyReader, chunks = Infinity): Promise<string> {
  let text = '';
  for (let i = 0; i < chunks; i++) {
    const { done, value } = await reader.next();
    if (done === true) break;
    text += String(value);
  }
  return text;
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Gives a chunk each time `give` is called. */
function byHand() {
  const results: ((result: IteratorResult<unknown>) => void)[] = [];
  let stopped = 0;
  return {
    pulls: () => results.length,
    stopped: () => stopped,
    give: (value: unknown) => results.at(-1)?.({ done: false, value }),
    source: {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise((resolve) => results.push(resolve)),
        return: () => {
          stopped++;
          return Promise.resolve({ done: true, value: undefined });
        },
      }),
    },
  };
}

describe('F5 Recording', () => {
  it('gives each reader the same bytes from their start, and pulls each chunk once', async () => {
    let pulled = 0;
    async function* source() {
      for (const part of ['a', 'b', 'c']) {
        pulled++;
        yield part;
      }
    }
    const recording = record(source());
    const first = recording.read();
    expect(await read(first, 2)).toBe('ab');
    first.stop();
    expect([recording.replayable, recording.complete]).toEqual([true, false]);
    expect(await read(recording.read())).toBe('abc');
    expect(await read(recording.read())).toBe('abc');
    expect([pulled, recording.complete, recording.length]).toEqual([3, true, 3]);
  });

  it('keeps 1 MiB exactly; a reader that takes a byte more is the last one', async () => {
    const full = 'x'.repeat(maxRecordedBytes);
    const kept = record([full].values());
    await read(kept.read());
    expect(kept.replayable).toBe(true);
    const over = record([full, 'y'].values());
    const text = await read(over.read());
    expect([text.length, text.at(-1)]).toEqual([maxRecordedBytes + 1, 'y']);
    expect(over.replayable).toBe(false);
  });

  it('keeps what arrives after its reader left, whatever its size: a retry was promised', async () => {
    const { source, give, pulls } = byHand();
    const recording = record(source);
    const first = recording.read();
    const pending = first.next().catch((error: Error) => error.message);
    await turn();
    first.stop();
    expect(await pending).toBe('the attempt is over');
    expect(recording.replayable).toBe(true);
    give('x'.repeat(maxRecordedBytes + 5));
    await turn();
    expect([recording.replayable, pulls()]).toEqual([true, 1]);
    const { value } = await recording.read().next();
    expect((value as Buffer).length).toBe(maxRecordedBytes + 5);
  });

  it('pulls nothing for a reader that was stopped, and never calls it at the end', async () => {
    const { source, give, pulls } = byHand();
    const recording = record(source);
    const reader = recording.read();
    const first = reader.next();
    await turn();
    give('a');
    await first;
    reader.stop();
    await expect(reader.next()).rejects.toThrow('the attempt is over');
    await turn();
    expect(pulls()).toBe(1);
  });

  it('copies chunks: a source may use one buffer again and again', async () => {
    async function* source() {
      const memory = Buffer.alloc(1);
      for (const letter of 'abc') {
        memory.write(letter);
        yield memory;
      }
    }
    const recording = record(source());
    expect(await read(recording.read())).toBe('abc');
    expect(await read(recording.read())).toBe('abc');
  });

  it('copies large chunks in pieces when it does not keep them', async () => {
    const recording = record([Buffer.alloc(200_000, 'x')].values(), { record: false });
    const sizes = [];
    for await (const piece of recording.read()) sizes.push(piece.length);
    expect(sizes).toEqual([65_536, 65_536, 65_536, 3392]);
  });

  it('takes every kind of chunk, shared memory too, and passes over empty ones', async () => {
    const shared = new Uint8Array(new SharedArrayBuffer(1)).fill(0x64);
    const chunks = ['a', '', new Uint8Array(0), new Uint16Array([0x6362]), shared];
    const more = [new DataView(Uint8Array.of(0x65).buffer), Uint8Array.of(0x66).buffer];
    expect(await read(record([...chunks, ...more].values()).read())).toBe('abcdef');
    expect(await read(record([Promise.resolve('late')].values()).read())).toBe('late');
  });

  it("gives the source's error to its watcher and to every reader, and never an end", async () => {
    const error = new Error('broken');
    async function* source() {
      yield 'a';
      throw error;
    }
    const recording = record(source());
    const told: Error[] = [];
    recording.watch((each) => told.push(each));
    await expect(read(recording.read())).rejects.toBe(error);
    await expect(read(recording.read())).rejects.toBe(error);
    recording.watch((each) => told.push(each));
    expect([told, recording.replayable]).toEqual([[error, error], false]);
  });

  it('stops an unfinished source when it is closed, and only then', async () => {
    const { source, stopped } = byHand();
    const recording = record(source);
    recording.read().stop();
    expect(stopped()).toBe(0);
    recording.close();
    recording.close();
    expect(stopped()).toBe(1);
    await expect(recording.read().next()).rejects.toThrow('the attempt is over');
  });
});
