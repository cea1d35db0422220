import type { Socket } from "node:net";
import type { HttpLimits } from "../http-limits.ts";
import { BUFFER_BYTES, type OctetBuffers } from "../octet-buffers.ts";
import type { Sweep } from "../sweep.ts";
import type { Flushable } from "../turn-end.ts";
import { FLAG, FRAME, FRAME_HEAD_BYTES, frameHead, MAX_FRAME_BYTES, uint32 } from "./frame.ts";

/** Up to this size everything is gathered into one string, as `SocketWriter` does. */
const GATHER_MAX_BYTES = 12_288;

/** What a writer needs of its connection. */
export interface FrameWriterHost {
  readonly limits: HttpLimits;
  readonly sweep: Sweep;
  readonly buffers: OctetBuffers;
}

/**
 * Writes the frames of all streams of a connection to its socket: small ones gather in a string, and once there is more, in a buffer with
 * the frames of data among each other, so that a turn of the event loop is one write.
 */
export class FrameWriter implements Flushable {
  /** Whether the peer reads more slowly than we write; until the socket's `drain`. */
  isFull = false;
  /** When the peer has to have read what waits for it. */
  stallEndMs = Number.POSITIVE_INFINITY;
  readonly #socket: Socket;
  readonly #host: FrameWriterHost;
  #text = "";
  #buffer: Buffer | undefined;
  #bytes = 0;
  #isWaiting = false;

  constructor(socket: Socket, host: FrameWriterHost) {
    this.#socket = socket;
    this.#host = host;
  }

  /** @param payload at most MAX_FRAME_BYTES, each character an octet */
  frame(type: number, flags: number, stream: number, payload: string): void {
    this.#add(frameHead(payload.length, type, flags, stream) + payload);
  }

  /** A header block of any size. */
  headers(stream: number, endStream: boolean, block: string): void {
    const streamFlag = endStream ? FLAG.endStream : 0;
    if (block.length <= MAX_FRAME_BYTES) {
      this.frame(FRAME.headers, streamFlag | FLAG.endHeaders, stream, block);
      return;
    }
    this.frame(FRAME.headers, streamFlag, stream, block.substring(0, MAX_FRAME_BYTES));
    for (let at = MAX_FRAME_BYTES; at < block.length; at += MAX_FRAME_BYTES) {
      const flags = at + MAX_FRAME_BYTES < block.length ? 0 : FLAG.endHeaders;
      this.frame(FRAME.continuation, flags, stream, block.substring(at, at + MAX_FRAME_BYTES));
    }
  }

  /** Octets that are only lent for the call, at most MAX_FRAME_BYTES of them. */
  data(stream: number, endStream: boolean, octets: Buffer, start: number, end: number): void {
    const head = frameHead(end - start, FRAME.data, endStream ? FLAG.endStream : 0, stream);
    const bytes = FRAME_HEAD_BYTES + end - start;
    if (this.#buffer === undefined && this.#text.length + bytes <= GATHER_MAX_BYTES) {
      this.#text += head + octets.toString("latin1", start, end);
      return;
    }
    const buffer = this.#bufferFor(bytes);
    this.#bytes += buffer.write(head, this.#bytes, "latin1");
    this.#bytes += octets.copy(buffer, this.#bytes, start, end);
  }

  dataText(stream: number, endStream: boolean, text: string): void {
    this.frame(FRAME.data, endStream ? FLAG.endStream : 0, stream, text);
  }

  rstStream(stream: number, code: number): void {
    this.frame(FRAME.rstStream, 0, stream, uint32(code));
  }

  windowUpdate(stream: number, bytes: number): void {
    this.frame(FRAME.windowUpdate, 0, stream, uint32(bytes));
  }

  goaway(lastStream: number, code: number, reason: string): void {
    this.frame(FRAME.goaway, 0, 0, uint32(lastStream) + uint32(code) + reason);
  }

  /** What was gathered leaves at the end of this turn of the event loop, or at once when it is much. */
  flush(): void {
    if (this.#text.length > GATHER_MAX_BYTES) this.flushNow();
    else if (!this.#isWaiting && (this.#text !== "" || this.#bytes > 0)) {
      this.#isWaiting = true;
      this.#host.buffers.turnEnd.add(this);
    }
  }

  /** To be called before the socket is ended. */
  flushNow(): void {
    this.#isWaiting = false;
    const text = this.#text;
    this.#text = "";
    if (this.#buffer !== undefined) this.#writeBuffer(this.#buffer);
    else if (text !== "" && !this.#socket.destroyed) this.#written(this.#socket.write(text, "latin1"));
  }

  /** To be called on the socket's `drain`. */
  onDrain(): void {
    this.isFull = false;
    this.stallEndMs = Number.POSITIVE_INFINITY;
  }

  #add(frame: string): void {
    if (this.#buffer === undefined) this.#text += frame;
    else {
      const buffer = this.#bufferFor(frame.length);
      this.#bytes += buffer.write(frame, this.#bytes, "latin1");
    }
  }

  /** The buffer with room for so many octets more, behind everything that was gathered. */
  #bufferFor(bytes: number): Buffer {
    if (this.#text.length + this.#bytes + bytes > BUFFER_BYTES) this.flushNow();
    this.#buffer ??= this.#host.buffers.take();
    if (this.#text !== "") {
      this.#bytes = this.#buffer.write(this.#text, 0, "latin1");
      this.#text = "";
    }
    return this.#buffer;
  }

  #writeBuffer(buffer: Buffer): void {
    const { buffers } = this.#host;
    const bytes = this.#bytes;
    this.#buffer = undefined;
    this.#bytes = 0;
    if (this.#socket.destroyed) buffers.giveBack(buffer);
    else
      this.#written(
        this.#socket.write(buffer.subarray(0, bytes), (error) => {
          if (!error) buffers.giveBack(buffer);
        }),
      );
  }

  #written(hasRoom: boolean): void {
    if (hasRoom || this.isFull) return;
    this.isFull = true;
    this.stallEndMs = this.#host.sweep.in(this.#host.limits.writeTimeoutMs);
  }
}
