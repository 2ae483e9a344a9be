const u16 = (value: number) => Buffer.from([value >> 8, value & 255]);

/** A TLS ClientHello in one record, with these extensions: a type and a length each. */
export function clientHello(...extensions: readonly (readonly [number, number])[]): Buffer {
  const list = Buffer.concat(
    extensions.flatMap(([type, length]) => [u16(type), u16(length), Buffer.alloc(length)]),
  );
  const body = Buffer.concat([
    Buffer.from([3, 3]),
    Buffer.alloc(32, 7),
    Buffer.from([0, 0, 2, 0x13, 1, 1, 0]),
    u16(list.length),
    list,
  ]);
  const message = Buffer.concat([Buffer.from([1, 0]), u16(body.length), body]);
  return Buffer.concat([Buffer.from([22, 3, 1]), u16(message.length), message]);
}

export const earlyData = 42;

/** The beginning of a server's flight: a handshake record. */
export const serverHello = Buffer.from([22, 3, 3, 0, 4, 2, 0, 0, 0]);
