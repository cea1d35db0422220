import { MAX_FIELDS } from "../field-lines.ts";
import type { HttpLimits } from "../http-limits.ts";
import type { OctetBuffers } from "../octet-buffers.ts";
import type { Sweep } from "../sweep.ts";
import type { AnswerWriter } from "./answer-writer.ts";
import { ReceiveWindow, SendWindow } from "./flow-window.ts";
import {
  type ConnectionFault,
  DEFAULT_WINDOW_BYTES,
  ERROR,
  type ErrorCode,
  FLAG,
  FRAME,
  MAX_STREAM_ID,
  SETTING,
  uint16,
  uint32,
} from "./frame.ts";
import type { FrameSink } from "./frame-reader.ts";
import type { FrameWriter } from "./frame-writer.ts";
import { HpackDecoder } from "./hpack/hpack-decoder.ts";
import { HpackEncoder } from "./hpack/hpack-encoder.ts";
import { OpenStreams } from "./open-streams.ts";
import { PeerSettings } from "./peer-settings.ts";
import type { RequestHead, ServerStream, StreamHost } from "./server-stream.ts";
import { WindowBudget } from "./window-budget.ts";

/** Fields that are read at all; a request between this and what a head may have is still answered with 431. */
const MAX_HEADER_PAIRS = 2 * MAX_FIELDS;
const FIELD_BYTES = 32;
/** What clients may send on all streams before we have read it: much more than on one, so that streams do not hold each other back. */
const CONNECTION_WINDOW_BYTES = 4_194_304;
/** By which the windows of a connection's uploads may be wider together than they begin. */
const UPLOAD_BUDGET_BYTES = 4_194_304;

const NOT_HPACK: ConnectionFault = { code: ERROR.compression, reason: "a header block is not valid" };
const TOO_MUCH: ConnectionFault = {
  code: ERROR.flowControl,
  reason: "there is more data than the window has room for",
};
const TOO_WIDE: ConnectionFault = { code: ERROR.flowControl, reason: "settings make a window larger than one may be" };

/** The connection that the frames are of. */
export interface FramesHost {
  readonly limits: HttpLimits;
  readonly sweep: Sweep;
  readonly buffers: OctetBuffers;
  /** Whether streams that the client opens now are served. */
  readonly takesStreams: boolean;
  /** Whether nothing is written any more. */
  readonly hasEnded: boolean;
  addPlace(): ServerStream;
  onStreamOpened(): void;
  /** A stream has ended; `isLast` says that there is no other. */
  onStreamEnded(isLast: boolean): void;
  /** The client will open no more streams. */
  onGoaway(): void;
  /** The client did what costs it next to nothing and us more. */
  onCheap(): void;
  onConnectionFault(fault: ConnectionFault): void;
}

/** What the frames of a client mean (RFC 9113 §5, §6), and what they are answered with: streams, windows, settings. */
export class ServerFrames implements FrameSink, StreamHost {
  readonly frames: FrameWriter;
  readonly encoder = new HpackEncoder();
  readonly sendWindow = new SendWindow(DEFAULT_WINDOW_BYTES);
  readonly waiting = new Set<AnswerWriter>();
  readonly streams: OpenStreams;
  readonly uploadBudget: WindowBudget;
  readonly #host: FramesHost;
  readonly #decoder = new HpackDecoder();
  readonly #peer = new PeerSettings();
  readonly #window = new ReceiveWindow(CONNECTION_WINDOW_BYTES);
  /** Whether a window was opened in this read. */
  #hasOpened = false;
  /** As the client was told at the beginning. */
  readonly #maxStreams: number;

  constructor(host: FramesHost, frames: FrameWriter) {
    this.frames = frames;
    this.#host = host;
    this.#maxStreams = host.limits.maxConcurrentStreams;
    this.uploadBudget = new WindowBudget(UPLOAD_BUDGET_BYTES, host.buffers.uploads);
    this.streams = new OpenStreams(() => host.addPlace());
  }

  get limits(): HttpLimits {
    return this.#host.limits;
  }

  get sweep(): Sweep {
    return this.#host.sweep;
  }

  get buffers(): OctetBuffers {
    return this.#host.buffers;
  }

  get streamWindowBytes(): number {
    return this.#peer.initialWindowBytes;
  }

  /** Our side of the preface (RFC 9113 §3.4). */
  greet(): void {
    const settings: readonly [number, number][] = [
      [SETTING.maxConcurrentStreams, this.#maxStreams],
      [SETTING.maxHeaderListSize, this.#maxListBytes],
      [SETTING.noPriorities, 1],
    ];
    const payload = settings.map(([setting, value]) => uint16(setting) + uint32(value)).join("");
    this.frames.frame(FRAME.settings, 0, 0, payload);
    this.frames.windowUpdate(0, CONNECTION_WINDOW_BYTES - DEFAULT_WINDOW_BYTES);
    this.frames.flush();
  }

  onHeaders(id: number, isComplete: boolean, octets: Buffer, start: number, end: number): void {
    const list = this.#decoder.decode(octets, start, end, this.#maxListBytes);
    const { isTooLarge } = this.#decoder;
    const place = this.streams.get(id);
    if (list === undefined) this.onConnectionFault(NOT_HPACK);
    else if (place === undefined) this.#open(id, { list, isTooLarge, isComplete });
    else if (place.hasEnded) this.failStream(place, ERROR.streamClosed);
    else if (!isComplete) this.failStream(place, ERROR.protocol);
    else place.onTrailers(list, isTooLarge);
  }

  onData(id: number, bytes: number, dataBytes: number, endStream: boolean): void {
    const place = this.streams.get(id);
    const fault = this.#window.take(bytes) ? place === undefined && this.streams.faultOf(id) : TOO_MUCH;
    if (fault) {
      this.onConnectionFault(fault);
      return;
    }
    if (this.#window.isDue) this.frames.windowUpdate(0, this.#window.grant());
    if (dataBytes === 0 && !endStream) this.#host.onCheap();
    if (place?.hasEnded) this.failStream(place, ERROR.streamClosed);
    else if (place?.takeFromWindow(bytes) === false) this.failStream(place, ERROR.flowControl);
  }

  onDataPiece(id: number, buffer: Buffer, start: number, end: number): void {
    this.streams.get(id)?.onBody(buffer, start, end);
  }

  onDataEnd(id: number): void {
    this.streams.get(id)?.onEnd();
  }

  onFrame(type: number, flags: number, id: number, octets: Buffer, start: number, end: number): void {
    if (type === FRAME.windowUpdate) {
      this.#onWindowUpdate(id, octets.readUInt32BE(start) & MAX_STREAM_ID);
      return;
    }
    const isAck = (flags & FLAG.ack) !== 0;
    if (type === FRAME.rstStream) this.#onReset(id);
    else if (type === FRAME.settings && !isAck) this.#onSettings(octets, start, end);
    else if (type === FRAME.ping && !isAck)
      this.frames.frame(FRAME.ping, FLAG.ack, 0, octets.toString("latin1", start, end));
    else if (type === FRAME.goaway) this.#host.onGoaway();
    this.#host.onCheap();
  }

  onConnectionFault(fault: ConnectionFault): void {
    this.#host.onConnectionFault(fault);
  }

  onStreamClosed(place: ServerStream, code?: ErrorCode): void {
    this.streams.close(place, code !== undefined);
    if (this.#host.hasEnded) return;
    if (code !== undefined) {
      this.frames.rstStream(place.id, code);
      this.frames.flush();
    }
    this.#host.onStreamEnded(this.streams.count === 0);
  }

  failStream(place: ServerStream, code: ErrorCode): void {
    place.fail(code);
    this.#host.onCheap();
  }

  /** The connection is over. */
  failAll(): void {
    for (const place of this.streams.values()) place.fail();
  }

  /** All that arrived at once was handed over. Windows are made use of now, so that crumbs of them cost no more than one large piece. */
  onPause(): void {
    if (this.#hasOpened) this.sendMore();
    this.#hasOpened = false;
    this.frames.flush();
  }

  /** Lets those that wait for a window or the socket write, a frame of each in turn. */
  sendMore(): void {
    let isMoving = this.waiting.size > 0;
    while (isMoving) {
      isMoving = false;
      for (const writer of this.waiting) if (writer.goOn()) isMoving = true;
    }
    this.frames.flush();
  }

  /** Counts 32 octets more for each field than a head of HTTP/1.1 has. */
  get #maxListBytes(): number {
    return this.limits.maxHeadBytes + FIELD_BYTES * MAX_HEADER_PAIRS;
  }

  #open(id: number, head: RequestHead): void {
    if (!this.streams.isNew(id)) {
      const fault = this.streams.faultOf(id);
      if (fault !== undefined) this.onConnectionFault(fault);
    } else if (!this.#host.takesStreams)
      this.streams.refuse(id); // It has been told that this one is not served.
    else if (this.streams.count >= this.#maxStreams) {
      this.streams.refuse(id);
      this.frames.rstStream(id, ERROR.refusedStream);
      this.#host.onCheap();
    } else {
      this.streams.open(id).serve(id, head);
      this.#host.onStreamOpened();
    }
  }

  #onReset(id: number): void {
    const place = this.streams.get(id);
    if (place !== undefined) place.fail();
    else if (id > this.streams.lastId) this.onConnectionFault(this.streams.faultOf(id)!);
  }

  #onSettings(octets: Buffer, start: number, end: number): void {
    const before = this.#peer.initialWindowBytes;
    const fault = this.#peer.read(octets, start, end);
    const wider = this.#peer.initialWindowBytes - before;
    let fits = true;
    for (const place of this.streams.values()) fits = place.writer.window.widen(wider) && fits;
    if (fault !== undefined || !fits) {
      this.onConnectionFault(fault ?? TOO_WIDE);
      return;
    }
    this.encoder.allow(this.#peer.smallestTableBytes);
    this.encoder.allow(this.#peer.headerTableBytes);
    this.frames.frame(FRAME.settings, FLAG.ack, 0, "");
    this.#hasOpened = true;
  }

  #onWindowUpdate(id: number, bytes: number): void {
    const place = id === 0 ? undefined : this.streams.get(id);
    if (id !== 0 && place === undefined) {
      if (id > this.streams.lastId) this.onConnectionFault(this.streams.faultOf(id)!);
      return;
    }
    const code = bytes === 0 ? ERROR.protocol : ERROR.flowControl;
    const fits = bytes > 0 && (place?.writer.window ?? this.sendWindow).widen(bytes);
    if (fits) this.#hasOpened = true;
    else if (place !== undefined) this.failStream(place, code);
    else this.onConnectionFault({ code, reason: "a window does not become one of a valid size" });
  }
}
