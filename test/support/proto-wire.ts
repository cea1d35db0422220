/** The few parts of the protobuf wire format that the original messages need, written from its specification. */
export class ProtoWriter {
  readonly #parts: Buffer[] = [];

  uint64(field: number, value: bigint): this {
    this.#parts.push(varint(BigInt(field << 3)), varint(value));
    return this;
  }

  text(field: number, value: string): this {
    return this.#bytes(field, Buffer.from(value));
  }

  message(field: number, message: ProtoWriter): this {
    return this.#bytes(field, message.finish());
  }

  finish(): Buffer {
    return Buffer.concat(this.#parts);
  }

  #bytes(field: number, value: Buffer): this {
    this.#parts.push(varint(BigInt((field << 3) | 2)), varint(BigInt(value.length)), value);
    return this;
  }
}

export class ProtoReader {
  readonly numbers: number[] = [];
  readonly #values = new Map<number, bigint | Buffer>();

  constructor(bytes: Buffer) {
    let position = 0;
    const next = (): bigint => {
      let value = 0n;
      for (let shift = 0n; ; shift += 7n) {
        const byte = bytes[position++]!;
        value |= BigInt(byte & 0x7f) << shift;
        if (byte < 0x80) return value;
      }
    };
    while (position < bytes.length) {
      const tag = Number(next());
      const field = tag >> 3;
      this.numbers.push(field);
      const type = tag & 7;
      if (type === 0) this.#values.set(field, next());
      else if (type === 2) {
        const length = Number(next());
        this.#values.set(field, bytes.subarray(position, position + length));
        position += length;
      } else position += type === 1 ? 8 : 4;
    }
  }

  uint64(field: number): bigint {
    const value = this.#values.get(field);
    return typeof value === "bigint" ? value : 0n;
  }

  bytes(field: number): Buffer {
    const value = this.#values.get(field);
    return value instanceof Buffer ? value : Buffer.alloc(0);
  }

  text(field: number): string {
    return this.bytes(field).toString();
  }
}

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  return Buffer.from([...bytes, Number(rest)]);
}
