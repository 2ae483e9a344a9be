import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { seededRandom } from '@whirl/testkit';
import { beforeAll, describe, expect, it } from 'vitest';
import { ClientHelloReader } from './client-hello-reader.ts';

/** What a TLS client sends first. */
async function helloOf(options: tls.ConnectionOptions): Promise<Buffer> {
  const server = net.createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = tls.connect({
    port: (server.address() as net.AddressInfo).port,
    host: '127.0.0.1',
    ...options,
  });
  client.on('error', () => {});
  const [socket] = (await once(server, 'connection')) as [net.Socket];
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  client.destroy();
  socket.destroy();
  server.close();
  return bytes;
}

const kindOf = (...chunks: readonly Buffer[]) => {
  const reader = new ClientHelloReader();
  for (const chunk of chunks) reader.push(chunk);
  return reader.kind;
};
const u16 = (value: number) => Buffer.from([value >> 8, value & 255]);
const record = (body: Buffer, type = 22) =>
  Buffer.concat([Buffer.from([type, 3, 1]), u16(body.length), body]);
const extension = (type: number, length: number) =>
  Buffer.concat([u16(type), u16(length), Buffer.alloc(length)]);
const message = (body: Buffer) =>
  Buffer.concat([Buffer.from([1, 0, body.length >> 8, body.length & 255]), body]);
/** A ClientHello with these extensions; undefined: without any. */
const body = (extensions: Buffer | undefined, sessionId = 32) =>
  Buffer.concat([
    Buffer.from([3, 3]),
    Buffer.alloc(32, 7),
    Buffer.from([sessionId]),
    Buffer.alloc(sessionId),
    Buffer.from([0, 4, 0x13, 1, 0x13, 2, 1, 0]),
    ...(extensions === undefined ? [] : [u16(extensions.length), extensions]),
  ]);
/** A message cut into records of these sizes, the rest into one more. */
const inRecords = (whole: Buffer, ...sizes: readonly number[]) => {
  const records: Buffer[] = [];
  let at = 0;
  for (const size of [...sizes, whole.length]) {
    if (at < whole.length) records.push(record(whole.subarray(at, at + size)));
    at += size;
  }
  return Buffer.concat(records);
};

let modern: Buffer;
let old: Buffer;
beforeAll(async () => {
  modern = await helloOf({ servername: 'shop.example', ALPNProtocols: ['h2', 'http/1.1'] });
  old = await helloOf({ maxVersion: 'TLSv1.2' });
});

describe('W17 one ClientHello is recognised', () => {
  it('as Node sends it, in TLS 1.3 and 1.2', () => {
    expect(kindOf()).toBe('nothing');
    expect(kindOf(modern)).toBe('whole');
    expect(kindOf(old)).toBe('whole');
  });

  it('split over segments anywhere: before its last byte it is a part', () => {
    for (let at = 1; at < modern.length; at++) {
      expect(kindOf(modern.subarray(0, at))).toBe('part');
      expect(kindOf(modern.subarray(0, at), modern.subarray(at))).toBe('whole');
    }
    expect(kindOf(...Array.from(modern, (byte) => Buffer.from([byte])))).toBe('whole');
  });

  it('split over records anywhere, byte by byte too', () => {
    const inner = modern.subarray(5);
    for (let at = 1; at < inner.length; at++) expect(kindOf(inRecords(inner, at))).toBe('whole');
    const tiny = inRecords(inner, ...Array<number>(inner.length).fill(1));
    expect(kindOf(tiny)).toBe('whole');
    expect(kindOf(tiny.subarray(0, -1))).toBe('part');
  });

  it('of 2,013 bytes, and of 16 KiB', () => {
    const ofSize = (size: number) => {
      const rest = size - body(Buffer.alloc(0)).length - 4 - 4;
      return message(body(extension(0xfe0d, rest)));
    };
    expect(ofSize(2008)).toHaveLength(2008);
    expect(kindOf(record(ofSize(2008)))).toBe('whole');
    expect(kindOf(record(ofSize(16_384)))).toBe('whole');
    expect(kindOf(inRecords(ofSize(16_384), 9000))).toBe('whole');
    expect(kindOf(inRecords(ofSize(16_385), 9000))).toBe('other');
  });

  it('without extensions, with an empty list of them, and without a session id', () => {
    expect(kindOf(record(message(body(undefined))))).toBe('whole');
    expect(kindOf(record(message(body(Buffer.alloc(0)))))).toBe('whole');
    expect(kindOf(record(message(body(extension(0, 3), 0))))).toBe('whole');
  });
});

describe('W17 it is never sent twice', () => {
  it('with the early_data extension, wherever it stands', () => {
    const early = extension(42, 0);
    const harmless = extension(0x1234, 5);
    for (const list of [[early], [early, harmless], [harmless, early, harmless]]) {
      expect(kindOf(record(message(body(Buffer.concat(list)))))).toBe('other');
    }
    expect(kindOf(record(message(body(extension(41, 7)))))).toBe('whole');
  });

  it('with a byte behind it, in its record, in another and in another segment', () => {
    expect(kindOf(Buffer.concat([modern, Buffer.from([20])]))).toBe('other');
    expect(kindOf(modern, Buffer.from([20]))).toBe('other');
    expect(kindOf(Buffer.concat([modern, modern]))).toBe('other');
    const inner = modern.subarray(5);
    expect(kindOf(record(Buffer.concat([inner, Buffer.from([0])])))).toBe('other');
    const open = Buffer.from(record(Buffer.concat([inner, Buffer.from([0])])).subarray(0, -1));
    expect(kindOf(open)).toBe('other');
  });

  it.each<[string, () => Buffer]>([
    ['another kind of record', () => record(message(body(undefined)), 23)],
    ['an alert', () => record(Buffer.from([1, 0]), 21)],
    ['another handshake message', () => record(Buffer.from([2, 0, 0, 0]))],
    ['another protocol version', () => Buffer.from([22, 2, 0])],
    ['a record of a version to come', () => Buffer.from([22, 3, 5])],
    ['an empty record', () => Buffer.from([22, 3, 1, 0, 0])],
    ['a record of more than 16 KiB', () => Buffer.from([22, 3, 1, 0x40, 1])],
    ['a message of more than 16 KiB', () => record(Buffer.from([1, 0, 0x40, 0]))],
    ['HTTP', () => Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['SSH', () => Buffer.from('SSH-2.0-x\r\n')],
    ['a long session id', () => record(message(body(undefined, 33)))],
    ['SSL 2', () => Buffer.from([0x80, 0x2e, 1, 3, 1])],
  ])('when it is %s', (_, bytes) => {
    expect(kindOf(bytes())).toBe('other');
  });

  it('when a length in it does not fit', () => {
    const whole = message(body(Buffer.concat([extension(0, 3), extension(10, 4)])));
    let refused = 0;
    // Length bytes: session id, cipher suites, compression, extensions, each extension.
    for (const at of [38, 71, 72, 77, 79, 80, 83, 84, 90, 91]) {
      for (const change of [1, 5, 0x70]) {
        const broken = Buffer.from(whole);
        broken[at] = ((broken[at] as number) + change) & 255;
        if (kindOf(record(broken)) !== 'whole') refused++;
      }
    }
    expect(refused).toBe(30);
  });

  it('whatever byte is left out of it: it is a part then, or other', () => {
    for (let at = 0; at < modern.length; at++) {
      const broken = Buffer.concat([modern.subarray(0, at), modern.subarray(at + 1)]);
      expect(['part', 'other']).toContain(kindOf(broken));
    }
  });
});

/** The types of the extensions of a ClientHello in one record, read a second time. */
function extensionTypes(bytes: Buffer): number[] {
  const sessionIdAt = 5 + 4 + 2 + 32;
  const suitesAt = sessionIdAt + 1 + bytes.readUInt8(sessionIdAt);
  const compressionAt = suitesAt + 2 + bytes.readUInt16BE(suitesAt);
  const types: number[] = [];
  let at = compressionAt + 1 + bytes.readUInt8(compressionAt) + 2;
  for (; at < bytes.length; at += 4 + bytes.readUInt16BE(at + 2))
    types.push(bytes.readUInt16BE(at));
  return types;
}

it('W17 of 10,000 mutated flights none with early data or a byte behind it is called whole', () => {
  const random = seededRandom(17);
  const base = message(body(Buffer.concat([extension(0, 9), extension(43, 3), extension(42, 0)])));
  for (let round = 0; round < 10_000; round++) {
    const bytes = Buffer.from(record(base));
    for (let n = Math.floor(random() * 3); n > 0; n--) {
      bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
    }
    const at = Math.floor(random() * bytes.length);
    const kind = kindOf(bytes.subarray(0, at), bytes.subarray(at));
    if (kind === 'whole') expect(extensionTypes(bytes)).not.toContain(42);
    expect(kindOf(bytes, Buffer.from([0]))).toBe('other');
  }
});
