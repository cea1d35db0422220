import type { Socket } from "node:net";
import type { Clock } from "../../core/clock.ts";
import type { ConnectionOptions, HttpLimits } from "../http-limits.ts";
import type { OctetBuffers } from "../octet-buffers.ts";
import type { RequestHandler } from "../request-channel.ts";
import { type ByteSink, readInto } from "../socket-reader.ts";
import type { Deadlined, Sweep } from "../sweep.ts";
import { FloodGuard } from "./flood-guard.ts";
import { type ConnectionFault, ERROR, MAX_FRAME_BYTES, MAX_STREAM_ID } from "./frame.ts";
import { FrameReader } from "./frame-reader.ts";
import { FrameWriter } from "./frame-writer.ts";
import { type FramesHost, ServerFrames } from "./server-frames.ts";
import { ServerStream } from "./server-stream.ts";

export interface SessionOptions extends ConnectionOptions {
  readonly clock: Clock;
  /** Whether connections end with the requests that they have. */
  readonly isDraining: () => boolean;
  /** Makes the handler of one more place for streams, and answers what `open` makes for it. */
  readonly serve: (open: (handler: RequestHandler) => ServerStream) => ServerStream;
  /** The client was told to calm down, and disconnected. */
  readonly onFlood: () => void;
  readonly onClosed: () => void;
}

/** How long after the first notice a client may still open streams that were on their way (RFC 9113 §6.8). */
const NOTICE_MS = 1_000;
/** How long a connection that we closed goes on reading, so that the client gets to see our last words. */
const LINGER_MS = 2_000;

const TOO_SLOW: ConnectionFault = {
  code: ERROR.enhanceYourCalm,
  reason: "a frame or header block did not end in time",
};
const FLOOD: ConnectionFault = { code: ERROR.enhanceYourCalm, reason: "the client floods the connection" };

/**
 * The server's side of an HTTP/2 connection (RFC 9113), from its preface to its end: each stream is served as a request of HTTP/1.1 is.
 * There is no push, no extended CONNECT and no priority. A client that floods us with what is cheap for it is told to calm down and
 * disconnected.
 */
export class ServerSession implements FramesHost, ByteSink, Deadlined {
  limits: HttpLimits;
  readonly sweep: Sweep;
  readonly buffers: OctetBuffers;
  readonly #socket: Socket;
  readonly #options: SessionOptions;
  readonly #guard: FloodGuard;
  readonly #writer: FrameWriter;
  readonly #frames: ServerFrames;
  readonly #reader: FrameReader;
  /** `ended` once we have said our last word. */
  #state: "open" | "noticed" | "closing" | "ended" | "closed" = "open";
  /** When the connection ends for want of something to do, or goes on to its end. */
  #endMs: number;
  /** When what has begun to arrive has to be whole. */
  #wholeMs = Number.POSITIVE_INFINITY;

  /** @param early what was read from the socket before */
  constructor(socket: Socket, options: SessionOptions, early?: Buffer) {
    const { limits, sweep, buffers, clock } = options;
    this.limits = limits;
    this.sweep = sweep;
    this.buffers = buffers;
    this.#socket = socket;
    this.#options = options;
    this.#guard = new FloodGuard(clock);
    this.#writer = new FrameWriter(socket, this);
    this.#frames = new ServerFrames(this, this.#writer);
    // Heads are smaller than they become, or a third larger where they are binary; a frame more is not yet an attack.
    this.#reader = new FrameReader(this.#frames, () => 2 * this.limits.maxHeadBytes + MAX_FRAME_BYTES);
    this.#endMs = sweep.in(limits.idleTimeoutMs);
    sweep.add(this);
    this.#listen(socket);
    this.#frames.greet();
    if (early !== undefined) this.onBytes(early, early.length);
  }

  get deadlineMs(): number {
    return Math.min(this.#endMs, this.#wholeMs, this.#writer.stallEndMs);
  }

  get takesStreams(): boolean {
    return this.#state === "open" || this.#state === "noticed";
  }

  get hasEnded(): boolean {
    return this.#state === "ended" || this.#state === "closed";
  }

  get isClosing(): boolean {
    return this.#state !== "open";
  }

  /** Ends the connection with the streams that it has; those that are already on their way are still served. */
  set isClosing(isClosing: boolean) {
    if (!isClosing || this.#state !== "open") return;
    this.#state = "noticed";
    this.#endMs = this.sweep.in(NOTICE_MS);
    this.#writer.goaway(MAX_STREAM_ID, ERROR.none, "");
    this.#writer.flush();
  }

  closeIfIdle(): void {
    if (this.#frames.streams.count === 0) this.onGoaway();
  }

  onDeadline(): void {
    const { nowMs } = this.sweep;
    if (this.#state === "ended" || this.#writer.stallEndMs <= nowMs) this.#socket.destroy();
    else if (this.#wholeMs <= nowMs) this.onConnectionFault(TOO_SLOW);
    else this.onGoaway();
  }

  onBytes(buffer: Buffer, end: number): void {
    const { wholeCount } = this.#reader;
    this.#reader.read(buffer, 0, end);
    if (this.hasEnded) return;
    if (!this.#reader.isWithin) this.#wholeMs = Number.POSITIVE_INFINITY;
    else if (this.#wholeMs === Number.POSITIVE_INFINITY || this.#reader.wholeCount > wholeCount)
      this.#wholeMs = this.sweep.in(this.limits.headTimeoutMs);
    this.#frames.onPause();
  }

  addPlace(): ServerStream {
    const place = this.#options.serve((handler) => new ServerStream(this.#frames, handler));
    this.sweep.add(place);
    return place;
  }

  onStreamOpened(): void {
    if (this.#state === "open" && this.#frames.streams.count > 0) this.#endMs = Number.POSITIVE_INFINITY;
    if (this.#options.lifetime.isLastRequest(this.limits, this.sweep.nowMs)) this.isClosing = true;
  }

  onStreamEnded(isLast: boolean): void {
    if (this.#options.isDraining()) this.isClosing = true;
    if (!isLast) return;
    if (this.#state === "open") this.#endMs = this.sweep.in(this.limits.idleTimeoutMs);
    else if (this.#state === "closing") this.#end(this.limits.writeTimeoutMs);
  }

  onCheap(): void {
    if (this.hasEnded || !this.#guard.isTooMuch()) return;
    this.#options.onFlood();
    this.onConnectionFault(FLOOD);
  }

  /** Ends the connection with the streams that it has, and takes no more. */
  onGoaway(): void {
    if (!this.takesStreams) return;
    this.#state = "closing";
    this.#endMs = Number.POSITIVE_INFINITY;
    this.#writer.goaway(this.#frames.streams.lastId, ERROR.none, "");
    this.#writer.flush();
    if (this.#frames.streams.count === 0) this.#end(this.limits.writeTimeoutMs);
  }

  onConnectionFault({ code, reason }: ConnectionFault): void {
    if (this.hasEnded) return;
    this.#writer.goaway(this.#frames.streams.lastId, code, reason);
    this.#end(LINGER_MS);
    this.#frames.failAll();
  }

  #listen(socket: Socket): void {
    socket.on("drain", () => {
      this.#writer.onDrain();
      this.#frames.sendMore();
    });
    // Who closes its side is taken to be gone, since a killed client looks the same.
    socket.on("end", () => {
      if (this.#frames.streams.count > 0) socket.destroy();
      else this.#writer.flushNow();
    });
    socket.on("error", () => {}); // "close" follows, and is what matters.
    socket.on("close", () => this.#onClose());
    readInto(this.buffers.read, this, socket);
  }

  /** @param timeoutMs how long the client may take to read what it was sent */
  #end(timeoutMs: number): void {
    this.#state = "ended";
    this.#wholeMs = Number.POSITIVE_INFINITY;
    this.#endMs = this.sweep.in(timeoutMs);
    this.#reader.stop();
    this.#writer.flushNow();
    this.#socket.end(() => {
      this.#endMs = Math.min(this.#endMs, this.sweep.in(LINGER_MS));
    });
  }

  #onClose(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.sweep.delete(this);
    this.#frames.failAll();
    for (const place of this.#frames.streams.places) this.sweep.delete(place);
    this.#options.onClosed();
  }
}
