import type { OctetBuffers } from "../octet-buffers.ts";
import type { MessageWriter } from "../request-channel.ts";
import { SendWindow } from "./flow-window.ts";
import { DEFAULT_WINDOW_BYTES, MAX_FRAME_BYTES } from "./frame.ts";
import type { FrameWriter } from "./frame-writer.ts";
import type { HpackEncoder } from "./hpack/hpack-encoder.ts";

/** Data up to this size is gathered, so that a head and a small body leave together. */
const GATHER_MAX_BYTES = 12_288;
const END_OF_HEAD = "\r\n\r\n";
/** Where the status of a head begins: `HTTP/1.1 100`. */
const STATUS_START = 9;

/** What a writer needs of its connection. */
export interface AnswerHost {
  readonly buffers: OctetBuffers;
  readonly frames: FrameWriter;
  readonly encoder: HpackEncoder;
  readonly sendWindow: SendWindow;
  /** Those whose data waits for a window or for the socket. */
  readonly waiting: Set<AnswerWriter>;
}

/** Who is told how the writing goes. */
export interface AnswerWriterOwner {
  /** What waited has been written. */
  onWritable(): void;
  /** The answer has been written to its end. */
  onAnswerWritten(): void;
}

interface Piece {
  readonly copy: Buffer;
  start: number;
  readonly end: number;
}

/**
 * Writes one answer after another to the streams that take one place of their connection. What the windows of the stream and the
 * connection have no room for (RFC 9113 §5.2), or the socket, is kept here, and `isFull` says so: whoever writes is to stop, so that
 * it is little more than one read.
 */
export class AnswerWriter implements MessageWriter {
  readonly window = new SendWindow(DEFAULT_WINDOW_BYTES);
  readonly #host: AnswerHost;
  readonly #owner: AnswerWriterOwner;
  #stream = 0;
  #isOpen = false;
  /** The final head, until it is sent. */
  #head: string | undefined;
  #headEnd = 0;
  #hasHead = false;
  #hasEnded = false;
  readonly #pieces: Piece[] = [];
  /** Small data, behind the pieces. */
  #text = "";
  #trailers = "";

  constructor(host: AnswerHost, owner: AnswerWriterOwner) {
    this.#host = host;
    this.#owner = owner;
  }

  get isFull(): boolean {
    return this.#host.waiting.has(this);
  }

  begin(stream: number, windowBytes: number): void {
    this.#stream = stream;
    this.window.bytes = windowBytes;
    this.#isOpen = true;
    this.#hasHead = false;
    this.#hasEnded = false;
  }

  /** A head, with what of the body comes with it; after the final head, of the body. */
  text(text: string): void {
    if (!this.#isOpen) return;
    if (this.#hasHead) {
      this.#text += text;
      return;
    }
    const end = text.indexOf(END_OF_HEAD) + END_OF_HEAD.length;
    if (text[STATUS_START] === "1") {
      this.#host.frames.headers(this.#stream, false, this.#host.encoder.head(text, end));
      return;
    }
    this.#hasHead = true;
    this.#head = text;
    this.#headEnd = end;
    this.#text = text.substring(end);
  }

  bytes(buffer: Buffer, start: number, end: number): void {
    if (!this.#isOpen) return;
    let at = start;
    if (this.#text.length + end - start > GATHER_MAX_BYTES) {
      while (this.#sendNext());
      if (!this.#hasRest) at = this.#sendOctets(buffer, start, end);
      this.#keepText();
    }
    if (end - at <= GATHER_MAX_BYTES) this.#text += buffer.toString("latin1", at, end);
    else this.#pieces.push({ copy: this.#host.buffers.copy(buffer, at, end), start: 0, end: end - at });
  }

  trailers(lines: string): void {
    this.#trailers = lines;
  }

  flush(): void {
    while (this.#sendNext());
    const { frames, waiting } = this.#host;
    if (this.#isOpen && (this.#hasRest || frames.isFull)) waiting.add(this);
    frames.flush();
  }

  /** The message is complete, and leaves with the next flush. */
  end(): void {
    this.#hasEnded = true;
  }

  /** Writes one frame of what waits, when there is room. Answers whether there was. */
  goOn(): boolean {
    if (this.#sendNext()) return true;
    if (!this.#isOpen || this.#hasRest || this.#host.frames.isFull) return false;
    if (this.#host.waiting.delete(this)) this.#owner.onWritable();
    return false;
  }

  /** What waits is not wanted any more. */
  drop(): void {
    this.#isOpen = false;
    this.#host.waiting.delete(this);
    for (const { copy } of this.#pieces.splice(0)) this.#host.buffers.giveBack(copy);
    this.#head = undefined;
    this.#text = "";
    this.#trailers = "";
  }

  /** One that has ended and is open has its end still to be sent. */
  get #hasRest(): boolean {
    return this.#head !== undefined || this.#pieces.length > 0 || this.#text !== "" || this.#hasEnded;
  }

  /** What of data may be sent now. */
  get #room(): number {
    const { frames, sendWindow } = this.#host;
    return frames.isFull ? 0 : Math.max(0, Math.min(this.window.bytes, sendWindow.bytes, MAX_FRAME_BYTES));
  }

  /** Sends the head, a frame of what was kept, or the end. Answers whether there was one to send, and room. */
  #sendNext(): boolean {
    if (!this.#isOpen || this.#host.frames.isFull) return false;
    if (this.#head !== undefined) return this.#sendHead(this.#head);
    if (this.#pieces.length > 0) return this.#sendPiece(this.#pieces[0]!);
    if (this.#text !== "") return this.#sendText(this.#text);
    if (!this.#hasEnded) return false;
    const { frames, encoder } = this.#host;
    if (this.#trailers !== "") frames.headers(this.#stream, true, encoder.trailers(this.#trailers));
    else frames.dataText(this.#stream, true, "");
    this.#finish();
    return true;
  }

  /** One whose answer has no body ends its stream with the head. */
  #sendHead(head: string): boolean {
    this.#head = undefined;
    const isAll = this.#text === "" && this.#pieces.length === 0 && this.#isEnd;
    this.#host.frames.headers(this.#stream, isAll, this.#host.encoder.head(head, this.#headEnd));
    if (isAll) this.#finish();
    return true;
  }

  #sendPiece(piece: Piece): boolean {
    const { copy, end } = piece;
    const next = Math.min(end, piece.start + this.#room);
    if (next === piece.start) return false;
    const isLast = next === end && this.#pieces.length === 1 && this.#text === "" && this.#isEnd;
    this.#host.frames.data(this.#stream, isLast, copy, piece.start, next);
    this.#spend(next - piece.start);
    piece.start = next;
    if (next === end) {
      this.#pieces.shift();
      this.#host.buffers.giveBack(copy);
    }
    if (isLast) this.#finish();
    return true;
  }

  #sendText(text: string): boolean {
    const bytes = Math.min(text.length, this.#room);
    if (bytes === 0) return false;
    const isLast = bytes === text.length && this.#isEnd;
    this.#host.frames.dataText(this.#stream, isLast, bytes === text.length ? text : text.substring(0, bytes));
    this.#spend(bytes);
    this.#text = bytes === text.length ? "" : text.substring(bytes);
    if (isLast) this.#finish();
    return true;
  }

  /** Octets that are only lent; answers where what was not sent begins. */
  #sendOctets(buffer: Buffer, start: number, end: number): number {
    let at = start;
    for (let room = this.#room; at < end && room > 0; room = this.#room) {
      const next = Math.min(end, at + room);
      this.#host.frames.data(this.#stream, false, buffer, at, next);
      this.#spend(next - at);
      at = next;
    }
    return at;
  }

  /** Text that larger data comes behind. */
  #keepText(): void {
    if (this.#text === "") return;
    const copy = Buffer.from(this.#text, "latin1");
    this.#text = "";
    this.#pieces.push({ copy, start: 0, end: copy.length });
  }

  /** Whether nothing comes behind the data. */
  get #isEnd(): boolean {
    return this.#hasEnded && this.#trailers === "";
  }

  #spend(bytes: number): void {
    this.window.bytes -= bytes;
    this.#host.sendWindow.bytes -= bytes;
  }

  #finish(): void {
    this.drop();
    this.#owner.onAnswerWritten();
  }
}
