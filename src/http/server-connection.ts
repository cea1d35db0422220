import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { ConnectionOptions, HttpLimits } from "./http-limits.ts";
import type { Lifetime } from "./lifetime.ts";
import type { Refusal } from "./refusal.ts";
import type { RequestChannel, RequestHandler } from "./request-channel.ts";
import type { RequestParser } from "./request-parser.ts";
import { RequestReader, type RequestSink } from "./request-reader.ts";
import { type ByteSink, readInto } from "./socket-reader.ts";
import { SocketWriter } from "./socket-writer.ts";
import type { Deadlined, Sweep } from "./sweep.ts";
import type { Trailers } from "./trailers.ts";
import type { TunnelEnd, TunnelFlow } from "./tunnel.ts";

/** How long a connection that we closed goes on reading, so that the client gets to see our last answer (RFC 9112 §9.6). */
const LINGER_MS = 2_000;

/** How often a client whose body has to wait is looked after. */
const PROBE_MS = 1_000;

/**
 * The server's side of an HTTP/1.1 connection, from its first octet to its end: requests are served one after another, each in its time.
 *
 * A client that closes its side while it waits for an answer is taken to be gone, since a killed client looks the same.
 */
export class ServerConnection implements RequestChannel, RequestSink, ByteSink, Deadlined, TunnelEnd {
  readonly socket: Socket;
  readonly writer: SocketWriter;
  readonly tunnelEnd: TunnelEnd = this;
  deadlineMs: number;
  /** Replaced when the listener's settings change. */
  limits: HttpLimits;
  /** Whether the connection is to be closed with the next answer. */
  isClosing = false;
  readonly #sweep: Sweep;
  readonly #lifetime: Lifetime;
  readonly #handler: RequestHandler;
  /** Undefined after the first request. */
  #onHttp2: ((octets: Buffer) => void) | undefined;
  readonly #reader = new RequestReader(this);
  #state: "head" | "body" | "answering" | "flushing" | "lingering" | "tunnel" | "closed" = "head";
  #flow: TunnelFlow | undefined;
  #isReading = false;
  #isPaused = false;
  /** When the whole body has to be there. */
  #bodyEndMs = Number.POSITIVE_INFINITY;

  /**
   * @param onHttp2 takes over the socket, and what was read from it, when the client turns out to speak HTTP/2 (RFC 9113 §3.3): as
   * far as this connection is concerned, it is closed then
   */
  constructor(
    socket: Socket,
    { buffers, limits, sweep, lifetime }: ConnectionOptions,
    handler: RequestHandler,
    onHttp2: (octets: Buffer) => void,
  ) {
    this.socket = socket;
    this.limits = limits;
    this.writer = new SocketWriter(socket, buffers);
    this.#sweep = sweep;
    this.#lifetime = lifetime;
    this.#handler = handler;
    this.#onHttp2 = onHttp2;
    this.deadlineMs = sweep.in(limits.idleTimeoutMs);
    sweep.add(this);
    socket.on("drain", () => this.#onDrain());
    socket.on("end", () => this.#onEnd());
    socket.on("error", () => {}); // "close" follows, and is what matters.
    socket.on("close", () => this.#onClose());
    readInto(buffers.read, this, socket);
  }

  get request(): RequestParser {
    return this.#reader.request;
  }

  /** Whether all of the current request has arrived. */
  get isRequestComplete(): boolean {
    return this.#state === "answering";
  }

  get protocol(): string {
    return this.request.minorVersion > 0 ? "HTTP/1.1" : "HTTP/1.0";
  }

  get takesChunks(): boolean {
    return this.request.minorVersion > 0;
  }

  get trailers(): Trailers {
    return this.#reader.body.trailers;
  }

  onBytes(buffer: Buffer, end: number): void {
    this.#isReading = true;
    try {
      if (this.#flow !== undefined) this.#flow.onOctets(buffer, 0, end);
      else {
        this.#reader.read(buffer, 0, end, this.limits);
        this.#handler.onRequestPause();
      }
    } catch (error) {
      this.#handler.onFault(error);
    }
    this.#isReading = false;
  }

  onHeadBegun(): void {
    this.deadlineMs = this.#sweep.in(this.limits.headTimeoutMs);
  }

  onHead(): void {
    const { request } = this;
    this.#onHttp2 = undefined;
    if (this.#lifetime.isLastRequest(this.limits, this.#sweep.nowMs)) this.isClosing = true;
    this.#state = request.hasBody ? "body" : "answering";
    this.#bodyEndMs = this.#sweep.in(this.limits.wholeBodyTimeoutMs);
    // A client that waits to be told to go on is not slow.
    if (request.hasBody && !request.expectsContinue) this.#awaitBody();
    else this.deadlineMs = Number.POSITIVE_INFINITY;
    this.#handler.onRequest();
  }

  onBodyOctets(): void {
    this.#awaitBody();
  }

  onBody(buffer: Buffer, start: number, end: number): void {
    if (this.#state === "body") this.#handler.onRequestBody(buffer, start, end);
  }

  onBodyEnd(): void {
    this.#state = "answering";
    this.deadlineMs = Number.POSITIVE_INFINITY;
    this.#handler.onRequestEnd();
  }

  onRefused(refusal: Refusal): void {
    this.#state = "body"; // It never becomes complete.
    this.#handler.onRequestRefused(refusal);
  }

  onHttp2(octets: Buffer): boolean {
    const takeOver = this.#onHttp2;
    if (takeOver === undefined || this.limits.maxConcurrentStreams === 0) return false;
    this.#onClose();
    takeOver(octets);
    return true;
  }

  onHeld(): void {
    this.socket.pause();
  }

  /** The answer is complete. Closes the connection unless `keepAlive` is true and the request was read to its end. */
  finish(keepAlive: boolean): void {
    this.#isPaused = false;
    this.writer.flush();
    if (this.#state === "closed") return;
    if (!keepAlive || this.#state !== "answering") {
      this.#linger();
      return;
    }
    if (this.writer.isFull) {
      // No next request before this answer has been read, or answers would heap up.
      this.#state = "flushing";
      this.deadlineMs = this.#sweep.in(this.limits.writeTimeoutMs);
    } else this.#awaitRequest();
  }

  /** Tells a client that waits for it to send its body. */
  askForBody(): void {
    this.writer.text("HTTP/1.1 100 Continue\r\n\r\n");
    if (this.#state === "body") this.#awaitBody();
  }

  /** Stops taking the body while whoever takes it cannot keep up. */
  pause(): void {
    this.socket.pause();
    if (this.#state !== "body") return;
    this.#isPaused = true;
    this.deadlineMs = this.#sweep.in(PROBE_MS);
  }

  resume(): void {
    this.#isPaused = false;
    if (this.#state === "body") this.#awaitBody();
    if (!this.#reader.hasWaiting) this.socket.resume();
  }

  /** To be called after a flush that left the client with something to read. */
  awaitWritable(): void {
    if (this.#state !== "body") this.deadlineMs = this.#sweep.in(this.limits.writeTimeoutMs);
  }

  /** Instead of `finish`, after a 101. */
  surrender(flow: TunnelFlow): void {
    const early = this.#reader.takeWaiting();
    this.#state = "tunnel";
    this.#flow = flow;
    this.deadlineMs = Number.POSITIVE_INFINITY;
    this.socket.allowHalfOpen = true;
    this.writer.flush();
    this.socket.resume();
    if (early !== undefined) flow.onOctets(early, 0, early.length);
  }

  closeIfIdle(): void {
    if (this.#state !== "head" || this.request.hasBegun) return;
    this.writer.flushNow();
    this.socket.destroySoon();
  }

  /** Drops the connection, so that the client can tell that the answer was cut. */
  destroy(): void {
    this.writer.flushNow();
    // TLS says by itself that it ended too early: by the closing alert that is missing (RFC 8446 §6.1).
    if (this.socket instanceof TLSSocket) this.socket.destroy();
    else this.socket.resetAndDestroy();
  }

  onDeadline(): void {
    if (this.#isPaused && this.#state === "body") this.#probe();
    else if (this.#state === "head" && this.request.hasBegun) this.#refuseLate("the head did not arrive in time");
    else if (this.#state === "body" && !this.writer.isFull) this.#refuseLate("the body did not arrive in time");
    else this.socket.destroy();
  }

  #refuseLate(reason: string): void {
    this.#reader.stop();
    this.onRefused({ kind: "requestTimeout", reason });
  }

  #awaitBody(): void {
    this.deadlineMs = Math.min(this.#sweep.in(this.limits.bodyTimeoutMs), this.#bodyEndMs);
  }

  /** Who is not read from is not seen to go away either: a write of nothing fails once the client has reset the connection. */
  #probe(): void {
    this.deadlineMs = this.#sweep.in(PROBE_MS);
    this.socket.write("");
  }

  #awaitRequest(): void {
    this.#state = "head";
    this.#reader.next();
    this.deadlineMs = this.#sweep.in(this.limits.idleTimeoutMs);
    if (this.#isReading || !this.#reader.hasWaiting) return;
    while (this.#state === "head" && this.#reader.hasWaiting) {
      const waiting = this.#reader.takeWaiting()!;
      this.onBytes(waiting, waiting.length);
    }
    if (!this.#reader.hasWaiting) this.socket.resume();
  }

  /**
   * Closes after the last answer. A client that asked for the close sends nothing more, so nothing that arrives could make the
   * kernel reset the connection and take the answer with it; all others are read from for a while (RFC 9112 §9.6).
   */
  #linger(): void {
    const isExpected = this.#state === "answering" && !this.#reader.hasWaiting && !this.request.keepAlive;
    this.#state = "lingering";
    this.#reader.stop();
    this.writer.flushNow();
    this.deadlineMs = this.#sweep.in(this.limits.writeTimeoutMs);
    if (isExpected) this.#closeAtOnce();
    else
      this.socket.resume().end(() => {
        this.deadlineMs = this.#sweep.in(LINGER_MS);
      });
  }

  /** What the kernel has taken is delivered by a close too, which saves saying before that no more will come. TLS has its own last word. */
  #closeAtOnce(): void {
    if (this.socket.writableLength === 0 && !(this.socket instanceof TLSSocket)) this.socket.destroy();
    else this.socket.destroySoon();
  }

  #onDrain(): void {
    if (this.#state === "closed") return;
    this.writer.onDrain();
    if (this.#flow !== undefined) {
      this.#flow.onWritable();
      return;
    }
    if (this.#state === "answering") this.deadlineMs = Number.POSITIVE_INFINITY;
    else if (this.#state === "flushing") this.#awaitRequest();
    this.#handler.onResponseWritable();
  }

  #onEnd(): void {
    if (this.#flow !== undefined) this.#flow.onEnd();
    else if (this.#state === "body" || this.#state === "answering") this.socket.destroy();
  }

  #onClose(): void {
    if (this.#state === "closed") return;
    const wasAnswering = this.#state === "body" || this.#state === "answering";
    this.#state = "closed";
    this.#flow?.onClose();
    this.#sweep.delete(this);
    if (wasAnswering) this.#handler.onClientGone();
    this.#handler.onClientClosed();
  }
}
