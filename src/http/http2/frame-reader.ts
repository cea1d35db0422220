import { type ConnectionFault, ERROR, FLAG, FRAME, FRAME_HEAD_BYTES, MAX_FRAME_BYTES, PREFACE } from "./frame.ts";
import { HeaderBlock } from "./header-block.ts";

/** Takes what arrives on a connection. Octets are only lent for the call. */
export interface FrameSink {
  /** A whole header block. */
  onHeaders(stream: number, endStream: boolean, octets: Buffer, start: number, end: number): void;
  /** A DATA frame has begun, of so many octets for flow control; `dataBytes` of them are data. */
  onData(stream: number, bytes: number, dataBytes: number, endStream: boolean): void;
  /** Data of the frame that began last, as it comes. */
  onDataPiece(stream: number, buffer: Buffer, start: number, end: number): void;
  /** Its last octet was there, and it was the last of its stream. */
  onDataEnd(stream: number): void;
  /** Any other frame, whole, of the right size and on a stream or not as it has to be; also those of an unknown type. */
  onFrame(type: number, flags: number, stream: number, octets: Buffer, start: number, end: number): void;
  /** What arrived ends the connection; nothing more is read. */
  onConnectionFault(fault: ConnectionFault): void;
}

/** A frame of one of these stands on a stream, of the others not; WINDOW_UPDATE may both. */
const ON_STREAM = new Set<number>([FRAME.data, FRAME.headers, FRAME.priority, FRAME.rstStream, FRAME.continuation]);
const ON_CONNECTION = new Set<number>([FRAME.settings, FRAME.ping, FRAME.goaway]);
const SIZES: ReadonlyMap<number, number> = new Map<number, number>([
  [FRAME.priority, 5],
  [FRAME.rstStream, 4],
  [FRAME.ping, 8],
  [FRAME.windowUpdate, 4],
]);
const GOAWAY_BYTES = 8;
const PRIORITY_BYTES = 5;
const SETTING_BYTES = 6;

/**
 * Takes the octets of a client apart into frames (RFC 9113 §4), strictly: what is wrong with a frame by itself, or with its place between
 * others, ends the connection here. Frames are read where they lie; only one that did not arrive whole is held, and data not even then.
 */
export class FrameReader {
  /** Counts what was read to its end: frames, and header blocks of several. */
  wholeCount = 0;
  readonly #sink: FrameSink;
  readonly #block: HeaderBlock;
  #prefaceBytes = 0;
  #hasSettings = false;
  #isOver = false;
  /** Octets of a frame that is not whole. */
  #held: Buffer | undefined;
  #heldBytes = 0;
  // Of the DATA frame that is being read.
  #dataStream = 0;
  #dataBytes = 0;
  #paddingBytes = 0;
  #endsStream = false;

  /** @param maxBlockBytes what all pieces of a header block may be together */
  constructor(sink: FrameSink, maxBlockBytes: () => number) {
    this.#sink = sink;
    this.#block = new HeaderBlock(maxBlockBytes);
  }

  /** Whether something has begun that only its end gives a meaning to: the preface, a frame other than DATA, a header block. */
  get isWithin(): boolean {
    return this.#heldBytes > 0 || this.#block.isOpen || !this.#hasSettings;
  }

  /** Reads no more. */
  stop(): void {
    this.#isOver = true;
    this.#held = undefined;
  }

  read(buffer: Buffer, start: number, end: number): void {
    let at = start;
    while (at < end && !this.#isOver) {
      if (this.#dataBytes + this.#paddingBytes > 0) at = this.#readData(buffer, at, end);
      else if (this.#heldBytes > 0) at = this.#readHeld(buffer, at, end);
      else if (this.#prefaceBytes < PREFACE.length) at = this.#readPreface(buffer, at, end);
      else {
        const next = this.#readFrame(buffer, at, end);
        if (next < 0) this.#hold(buffer, at, end);
        at = next < 0 ? end : next;
      }
    }
  }

  #readPreface(buffer: Buffer, start: number, end: number): number {
    let at = start;
    for (; at < end && this.#prefaceBytes < PREFACE.length; at++)
      if (buffer[at] !== PREFACE[this.#prefaceBytes++]) {
        this.#fail(ERROR.protocol, "the connection does not begin with the preface of HTTP/2");
        return end;
      }
    return at;
  }

  #hold(buffer: Buffer, start: number, end: number): void {
    const bytes = this.#heldBytes + end - start;
    if (this.#held === undefined || this.#held.length < bytes) {
      const larger = Buffer.allocUnsafe(Math.max(64, bytes));
      this.#held?.copy(larger, 0, 0, this.#heldBytes);
      this.#held = larger;
    }
    buffer.copy(this.#held, this.#heldBytes, start, end);
    this.#heldBytes = bytes;
  }

  /** Takes as much as the held frame lacks, or its head, or so much of it that its data can be read as it comes. */
  #readHeld(buffer: Buffer, start: number, end: number): number {
    const held = this.#held!;
    const wanted = this.#heldBytes < FRAME_HEAD_BYTES ? FRAME_HEAD_BYTES : wholeBytes(held);
    const next = Math.min(end, start + wanted - this.#heldBytes);
    this.#hold(buffer, start, next);
    if (this.#heldBytes < wanted) return next;
    const whole = this.#held!;
    if (this.#readFrame(whole, 0, wanted) >= 0) {
      this.#heldBytes = 0;
      this.#held = undefined;
    }
    return next;
  }

  /** Answers the position behind the frame, or behind the head of one with data; -1 when it is not whole. */
  #readFrame(octets: Buffer, at: number, end: number): number {
    const payload = at + FRAME_HEAD_BYTES;
    if (payload > end) return -1;
    const length = (octets[at]! << 16) | (octets[at + 1]! << 8) | octets[at + 2]!;
    const type = octets[at + 3]!;
    const flags = octets[at + 4]!;
    const stream = octets.readUInt32BE(at + 5) & 0x7fffffff;
    const fault = this.#faultOf(type, flags, stream, length);
    if (fault !== undefined) {
      this.#stopWith(fault);
      return end;
    }
    if (type === FRAME.data) return this.#beginData(octets, payload, end, { stream, flags, length });
    const next = payload + length;
    if (next > end) return -1;
    if (type === FRAME.headers) this.#takeHeaders(octets, payload, next, stream, flags);
    else if (type === FRAME.continuation) this.#continueBlock(octets, payload, next, flags);
    else {
      this.#hasSettings = true;
      this.#sink.onFrame(type, flags, stream, octets, payload, next);
    }
    if (!this.#block.isOpen) this.wholeCount++;
    return next;
  }

  #faultOf(type: number, flags: number, stream: number, length: number): ConnectionFault | undefined {
    if (length > MAX_FRAME_BYTES) return { code: ERROR.frameSize, reason: "a frame is larger than it may be" };
    const isContinuation = type === FRAME.continuation;
    if (this.#block.isOpen !== isContinuation || (isContinuation && stream !== this.#block.stream))
      return violation("a header block and its CONTINUATION do not follow each other");
    const isAck = type === FRAME.settings && (flags & FLAG.ack) !== 0;
    if (!this.#hasSettings && (type !== FRAME.settings || isAck)) return violation("SETTINGS do not come first");
    if (stream === 0 ? ON_STREAM.has(type) : ON_CONNECTION.has(type))
      return violation("a frame of this type does not stand on this stream");
    if (type === FRAME.pushPromise) return violation("a client pushes");
    const isSized =
      type === FRAME.settings
        ? length % SETTING_BYTES === 0 && !(isAck && length > 0)
        : length === (SIZES.get(type) ?? length) && !(type === FRAME.goaway && length < GOAWAY_BYTES);
    return isSized ? undefined : { code: ERROR.frameSize, reason: "a frame does not have the size of its type" };
  }

  #beginData(
    octets: Buffer,
    start: number,
    end: number,
    { stream, flags, length }: { readonly stream: number; readonly flags: number; readonly length: number },
  ): number {
    const isPadded = (flags & FLAG.padded) !== 0;
    if (isPadded && length > 0 && start === end) return -1;
    const padding = isPadded ? this.#paddingOf(octets, start, length) : 0;
    if (padding < 0) return end;
    const next = isPadded ? start + 1 : start;
    this.#dataStream = stream;
    this.#dataBytes = length - padding - (next - start);
    this.#paddingBytes = padding;
    this.#endsStream = (flags & FLAG.endStream) !== 0;
    this.#sink.onData(stream, length, this.#dataBytes, this.#endsStream);
    if (this.#dataBytes + padding === 0) this.#endData();
    return next;
  }

  #readData(buffer: Buffer, start: number, end: number): number {
    const dataEnd = Math.min(end, start + this.#dataBytes);
    const next = Math.min(end, dataEnd + (dataEnd === start + this.#dataBytes ? this.#paddingBytes : 0));
    this.#dataBytes -= dataEnd - start;
    this.#paddingBytes -= next - dataEnd;
    if (dataEnd > start) this.#sink.onDataPiece(this.#dataStream, buffer, start, dataEnd);
    if (this.#dataBytes + this.#paddingBytes === 0) this.#endData();
    return next;
  }

  #endData(): void {
    if (this.#endsStream && !this.#isOver) this.#sink.onDataEnd(this.#dataStream);
  }

  #takeHeaders(octets: Buffer, start: number, end: number, stream: number, flags: number): void {
    const isPadded = (flags & FLAG.padded) !== 0;
    const padding = isPadded ? this.#paddingOf(octets, start, end - start) : 0;
    if (padding < 0) return;
    const blockStart = start + (isPadded ? 1 : 0) + ((flags & FLAG.priority) !== 0 ? PRIORITY_BYTES : 0);
    const blockEnd = end - padding;
    if (blockStart > blockEnd) {
      this.#fail(padding > 0 ? ERROR.protocol : ERROR.frameSize, "a HEADERS frame is shorter than what it says it has");
      return;
    }
    const endStream = (flags & FLAG.endStream) !== 0;
    if ((flags & FLAG.endHeaders) !== 0) this.#sink.onHeaders(stream, endStream, octets, blockStart, blockEnd);
    else {
      this.#block.begin(stream, endStream);
      this.#addToBlock(octets, blockStart, blockEnd);
    }
  }

  #continueBlock(octets: Buffer, start: number, end: number, flags: number): void {
    const block = this.#block;
    if (!this.#addToBlock(octets, start, end) || (flags & FLAG.endHeaders) === 0) return;
    const whole = block.take();
    this.#sink.onHeaders(block.stream, block.endsStream, whole, 0, whole.length);
  }

  #addToBlock(octets: Buffer, start: number, end: number): boolean {
    const isTaken = this.#block.add(octets, start, end);
    if (!isTaken) this.#fail(ERROR.enhanceYourCalm, "a header block has more octets or pieces than it may have");
    return isTaken;
  }

  /** -1 when there is more padding than frame. */
  #paddingOf(octets: Buffer, start: number, length: number): number {
    const padding = length === 0 ? 0 : octets[start]!;
    if (padding < length) return padding;
    this.#fail(ERROR.protocol, "a frame has more padding than it has room for");
    return -1;
  }

  #fail(code: ConnectionFault["code"], reason: string): void {
    this.#stopWith({ code, reason });
  }

  #stopWith(fault: ConnectionFault): void {
    this.stop();
    this.#sink.onConnectionFault(fault);
  }
}

/** What has to be there of the frame whose head is held before it can be read. */
function wholeBytes(held: Buffer): number {
  const isData = held[3] === FRAME.data;
  return FRAME_HEAD_BYTES + (isData ? Math.min(1, held.readUIntBE(0, 3)) : held.readUIntBE(0, 3));
}

function violation(reason: string): ConnectionFault {
  return { code: ERROR.protocol, reason };
}
