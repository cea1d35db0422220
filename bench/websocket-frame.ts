import { createHash } from "node:crypto";

/** Frames of RFC 6455 as far as an echo needs them: whole messages of up to 65,535 octets. */

/** What a server answers to `Sec-WebSocket-Key` (section 4.2.2). */
export function acceptKey(key: string): string {
  return createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
}

/** @param mask four octets; a client has to mask what it sends, a server must not (section 5.1). */
export function encodeFrame(opcode: number, payload: Buffer, mask?: Buffer): Buffer {
  if (payload.length > 65_535) throw new RangeError(`a frame here holds up to 65,535 octets, not ${payload.length}`);
  const maskBit = mask === undefined ? 0 : 0x80;
  const head =
    payload.length < 126
      ? [0x80 | opcode, maskBit | payload.length]
      : [0x80 | opcode, maskBit | 126, payload.length >> 8, payload.length & 0xff];
  if (mask === undefined) return Buffer.concat([Buffer.from(head), payload]);
  return Buffer.concat([Buffer.from(head), mask, masked(payload, mask)]);
}

/** Calls back with the opcode and the unmasked payload of each complete frame. */
export class FrameReader {
  readonly #onFrame: (opcode: number, payload: Buffer) => void;
  #kept: Buffer = Buffer.alloc(0);

  constructor(onFrame: (opcode: number, payload: Buffer) => void) {
    this.#onFrame = onFrame;
  }

  /** @throws RangeError for a frame of more than 65,535 octets. */
  read(octets: Buffer): void {
    let rest = this.#kept.length === 0 ? octets : Buffer.concat([this.#kept, octets]);
    for (let length = this.#readOne(rest); length > 0; length = this.#readOne(rest)) rest = rest.subarray(length);
    this.#kept = rest;
  }

  /** Answers how many octets the first frame has; 0 when it is not complete yet. */
  #readOne(octets: Buffer): number {
    if (octets.length < 2) return 0;
    const short = octets[1]! & 0x7f;
    if (short === 127) throw new RangeError("a frame of more than 65,535 octets");
    if (short === 126 && octets.length < 4) return 0;
    const payloadBytes = short === 126 ? octets.readUInt16BE(2) : short;
    const maskAt = short === 126 ? 4 : 2;
    const isMasked = octets[1]! >= 0x80;
    const payloadAt = maskAt + (isMasked ? 4 : 0);
    if (octets.length < payloadAt + payloadBytes) return 0;
    const payload = octets.subarray(payloadAt, payloadAt + payloadBytes);
    this.#onFrame(octets[0]! & 0x0f, isMasked ? masked(payload, octets.subarray(maskAt, payloadAt)) : payload);
    return payloadAt + payloadBytes;
  }
}

/** Masking twice is not masking at all, so it is its own inverse. */
function masked(payload: Buffer, mask: Buffer): Buffer {
  const result = Buffer.allocUnsafe(payload.length);
  for (let at = 0; at < payload.length; at++) result[at] = payload[at]! ^ mask[at & 3]!;
  return result;
}
