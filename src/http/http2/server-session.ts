import { constants, performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import type { Clock } from "../../core/clock.ts";
import { MAX_FIELDS } from "../field-lines.ts";
import type { ConnectionOptions, HttpLimits } from "../http-limits.ts";
import type { OctetBuffers } from "../octet-buffers.ts";
import type { RequestHandler } from "../request-channel.ts";
import type { Deadlined, Sweep } from "../sweep.ts";
import { FloodGuard } from "./flood-guard.ts";
import { ServerStream, type StreamHost } from "./server-stream.ts";

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
/** How long a closed connection may take to write what is left. */
const LINGER_MS = 2_000;
const LAST_STREAM_ID = 2 ** 31 - 1;
/** Fields that are read at all; a request between this and what a head may have is still answered with 431. */
const MAX_HEADER_PAIRS = 2 * MAX_FIELDS;
const MEMORY_MB = 4;

/**
 * The server's side of an HTTP/2 connection (RFC 9113): each stream is served as a request of HTTP/1.1 is. There is no push, and
 * no extended CONNECT. A client that floods us with what is cheap for it is told to calm down and disconnected.
 */
export class ServerSession implements StreamHost, Deadlined {
  deadlineMs: number;
  limits: HttpLimits;
  readonly sweep: Sweep;
  readonly buffers: OctetBuffers;
  readonly #socket: Socket;
  readonly #session: ServerHttp2Session;
  readonly #options: SessionOptions;
  readonly #guard: FloodGuard;
  readonly #places: ServerStream[] = [];
  readonly #free: ServerStream[] = [];
  #state: "open" | "noticed" | "closing" | "closed" = "open";

  /** Takes over a socket that nothing was read from, or that what was read was given back to with `unshift`. */
  constructor(socket: Socket, options: SessionOptions) {
    const { limits, sweep, buffers, clock } = options;
    this.limits = limits;
    this.sweep = sweep;
    this.buffers = buffers;
    this.#socket = socket;
    this.#options = options;
    this.#guard = new FloodGuard(clock);
    this.deadlineMs = sweep.in(limits.idleTimeoutMs);
    this.#session = performServerHandshake(socket, {
      maxHeaderListPairs: MAX_HEADER_PAIRS,
      maxSessionMemory: MEMORY_MB,
      strictSingleValueFields: false,
      settings: {
        maxConcurrentStreams: limits.maxConcurrentStreams,
        // Counts 32 octets more for each field than a head of HTTP/1.1 has.
        maxHeaderListSize: 2 * limits.maxHeadBytes + 32 * MAX_HEADER_PAIRS,
      },
    });
    sweep.add(this);
    this.#listen(this.#session);
  }

  get #isIdle(): boolean {
    return this.#free.length === this.#places.length;
  }

  get isClosing(): boolean {
    return this.#state !== "open";
  }

  /** Ends the connection with the streams that it has; those that are already on their way are still served. */
  set isClosing(isClosing: boolean) {
    // A session that is going down by itself has nothing more to say, though it is not closed yet.
    if (!isClosing || this.#state !== "open" || this.#session.destroyed) return;
    this.#state = "noticed";
    this.#session.goaway(constants.NGHTTP2_NO_ERROR, LAST_STREAM_ID);
    this.deadlineMs = this.sweep.in(NOTICE_MS);
  }

  closeIfIdle(): void {
    if (this.#isIdle) this.#close();
  }

  onDeadline(): void {
    if (this.#state === "closing" || this.#session.destroyed) {
      this.#session.destroy();
      this.#socket.destroy(); // The session alone would wait until the client has read everything.
    } else this.#close();
  }

  onStreamClosed(place: ServerStream, wasServed: boolean): void {
    this.#free.push(place);
    if (!wasServed) this.#count();
    if (this.#options.isDraining()) this.isClosing = true;
    if (!this.#isIdle) return;
    if (this.#state === "open") this.deadlineMs = this.sweep.in(this.limits.idleTimeoutMs);
    else if (this.#state === "closing") this.deadlineMs = this.sweep.in(LINGER_MS);
  }

  #listen(session: ServerHttp2Session): void {
    session.on("stream", (stream, _headers, flags, raw) => this.#onStream(stream, flags, raw));
    session.on("ping", () => this.#count());
    session.on("remoteSettings", () => this.#count());
    session.on("priority" as "ping", () => this.#count());
    session.on("error", ignore); // "close" follows, and is what matters.
    session.on("close", () => this.#onClose());
  }

  #onStream(stream: ServerHttp2Stream, flags: number, raw: readonly string[]): void {
    if (this.#state === "closed") {
      stream.on("error", ignore); // It goes down with its connection.
      return;
    }
    if (this.#state === "open") this.deadlineMs = Number.POSITIVE_INFINITY;
    const place = this.#free.pop() ?? this.#addPlace();
    place.serve(stream, raw, (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0);
    if (this.#options.lifetime.isLastRequest(this.limits, this.sweep.nowMs)) this.isClosing = true;
  }

  #addPlace(): ServerStream {
    const place = this.#options.serve((handler) => new ServerStream(this, handler));
    this.#places.push(place);
    this.sweep.add(place);
    return place;
  }

  #count(): void {
    if (!this.#guard.isTooMuch() || this.#state === "closed") return;
    this.#state = "closed";
    this.#options.onFlood();
    this.#session.destroy(new Error("the client floods the connection"), constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }

  #close(): void {
    if (this.#state === "closing" || this.#state === "closed" || this.#session.destroyed) return;
    this.#state = "closing";
    this.deadlineMs = this.#isIdle ? this.sweep.in(LINGER_MS) : Number.POSITIVE_INFINITY;
    this.#session.close();
  }

  #onClose(): void {
    this.#state = "closed";
    this.sweep.delete(this);
    for (const place of this.#places) this.sweep.delete(place);
    this.#options.onClosed();
  }
}

function ignore(): void {}
