import type { HttpLimits } from "../http-limits.ts";
import type { Refusal } from "../refusal.ts";
import type { RequestChannel, RequestHandler } from "../request-channel.ts";
import { RequestParser } from "../request-parser.ts";
import type { Deadlined, Sweep } from "../sweep.ts";
import { NO_TRAILERS, readTrailers, type Trailers } from "../trailers.ts";
import { type AnswerHost, AnswerWriter, type AnswerWriterOwner } from "./answer-writer.ts";
import { ERROR, type ErrorCode } from "./frame.ts";
import { readRequestHead } from "./request-head.ts";
import { UploadWindow } from "./upload-window.ts";
import type { WindowBudget } from "./window-budget.ts";

/** What a place needs of its connection. */
export interface StreamHost extends AnswerHost {
  readonly limits: HttpLimits;
  readonly sweep: Sweep;
  /** What a client lets a new stream send. */
  readonly streamWindowBytes: number;
  /** Of what the client is let send. */
  readonly uploadBudget: WindowBudget;
  /** The stream is closed and the place is free. With a code, it is reset. */
  onStreamClosed(place: ServerStream, code?: ErrorCode): void;
  /** The client did on the stream what it may not do. */
  failStream(place: ServerStream, code: ErrorCode): void;
}

/** A request as it came. */
export interface RequestHead {
  /** Names and values in turn. */
  readonly list: readonly string[];
  /** Whether there was more than is read of a head. */
  readonly isTooLarge: boolean;
  /** Whether no body follows. */
  readonly isComplete: boolean;
}

/**
 * How long what is still coming of a request that is answered is overlooked, before its stream is reset (RFC 9113 §8.1). The window is not
 * opened any more meanwhile. Most clients end by themselves, and there are some, curl and grpc-js among them, that lose an answer whose
 * reset comes with it. Behind the client's own end it comes at once: one that ended an upload because it had the answer may wait
 * for it (curl again), every other overlooks it (§5.1).
 */
const LINGER_MS = 500;

/**
 * A place for streams of an HTTP/2 connection: takes one after another, as `ServerConnection` takes requests. A connection has as
 * many places as it had streams at a time.
 */
export class ServerStream implements RequestChannel, AnswerWriterOwner, Deadlined {
  readonly request = new RequestParser();
  readonly writer: AnswerWriter;
  readonly protocol = "HTTP/2";
  readonly isClosing = false;
  readonly takesChunks = false;
  readonly tunnelEnd = undefined;
  deadlineMs = Number.POSITIVE_INFINITY;
  /** Its number on the connection. */
  id = 0;
  /** Whether the client has ended its side. */
  hasEnded = false;
  readonly #host: StreamHost;
  readonly #handler: RequestHandler;
  readonly #window: UploadWindow;
  #state: "free" | "body" | "answering" | "finishing" | "lingering" = "free";
  #isPaused = false;
  /** What the stream is reset with behind its answer: NO_ERROR when that was complete before the request, PROTOCOL_ERROR when it was malformed. */
  #endCode: ErrorCode | undefined;
  /** When the whole body has to be there. */
  #bodyEndMs = Number.POSITIVE_INFINITY;
  /** Octets of the body that are still to come, -1 when the head did not say. */
  #remaining = -1;
  #trailers = NO_TRAILERS;

  constructor(host: StreamHost, handler: RequestHandler) {
    this.#host = host;
    this.#handler = handler;
    this.#window = new UploadWindow(host.uploadBudget);
    this.writer = new AnswerWriter(host, this);
  }

  get isRequestComplete(): boolean {
    return this.#state === "answering";
  }

  get trailers(): Trailers {
    return this.#trailers;
  }

  /** Serves a new stream; the place has to be free. */
  serve(id: number, { list, isTooLarge, isComplete }: RequestHead): void {
    const { request } = this;
    const { limits, sweep, streamWindowBytes } = this.#host;
    this.id = id;
    this.hasEnded = isComplete;
    this.#state = isComplete ? "answering" : "body";
    this.#endCode = undefined;
    this.#remaining = -1;
    this.#isPaused = false;
    this.#trailers = NO_TRAILERS;
    this.writer.begin(id, streamWindowBytes);
    request.reset();
    request.fields.maxCount = limits.maxFields;
    this.#guarded(() => {
      const refusal = isTooLarge ? TOO_LARGE : readRequestHead(request, list, isComplete, limits.maxHeadBytes);
      if (refusal !== undefined) {
        this.#refuse(refusal);
        return;
      }
      if (!isComplete) {
        this.#remaining = request.contentLength;
        this.#bodyEndMs = sweep.in(limits.wholeBodyTimeoutMs);
        if (!request.hasBody)
          this.#state = "answering"; // Only the end of the stream is still to come.
        else if (!request.expectsContinue) this.#awaitBody(); // A client that waits to be told to go on is not slow.
      }
      this.#handler.onRequest();
    });
  }

  /** Takes so many octets of a DATA frame from the window. Answers false when the client has sent more than it may. */
  takeFromWindow(bytes: number): boolean {
    return this.#window.take(bytes);
  }

  onBody(buffer: Buffer, start: number, end: number): void {
    if (this.#state === "answering")
      this.#host.failStream(this, ERROR.protocol); // It said that there is no body.
    else if (this.#state === "body") this.#guarded(() => this.#takeBody(buffer, start, end));
  }

  onTrailers(list: readonly string[], isTooLarge: boolean): void {
    this.hasEnded = true;
    const trailers = isTooLarge ? undefined : readTrailers(list, this.#host.limits.maxHeadBytes);
    if (trailers !== undefined) this.#trailers = trailers;
    if (trailers !== undefined || this.#state !== "body") this.onEnd();
    else this.#guarded(() => this.#refuse({ kind: "badRequest", reason: "the trailers are not valid" }));
  }

  /** The client has ended its side. */
  onEnd(): void {
    this.hasEnded = true;
    this.#window.reset();
    if (this.#state === "lingering") this.#close(this.#endCode);
    else if (this.#state === "body")
      this.#guarded(() => {
        if (this.#remaining > 0)
          this.#refuse({ kind: "badRequest", reason: "the body is shorter than its Content-Length" });
        else {
          this.#state = "answering";
          this.deadlineMs = Number.POSITIVE_INFINITY;
          this.#handler.onRequestEnd();
        }
      });
  }

  /** Ends a stream on which the client did what it may not do, or whose connection is gone where there is no code to tell it. */
  fail(code?: ErrorCode): void {
    const isServing = this.#state === "body" || this.#state === "answering";
    this.#close(code);
    if (isServing) this.#handler.onClientGone();
  }

  finish(): void {
    if (this.#state !== "answering" && this.#state !== "body") return;
    if (this.#state === "body") this.#endCode ??= ERROR.none;
    this.#state = "finishing";
    this.deadlineMs = this.#host.sweep.in(this.#host.limits.writeTimeoutMs);
    this.writer.end();
    this.writer.flush();
  }

  onAnswerWritten(): void {
    if (this.hasEnded) {
      this.#close(this.#endCode);
      return;
    }
    this.#state = "lingering";
    this.deadlineMs = this.#host.sweep.in(LINGER_MS);
  }

  onWritable(): void {
    if (this.#state === "answering") this.deadlineMs = Number.POSITIVE_INFINITY;
    this.#handler.onResponseWritable();
  }

  askForBody(): void {
    this.writer.text("HTTP/1.1 100 Continue\r\n\r\n");
    if (this.#state === "body") this.#awaitBody();
  }

  /** Stops granting the client more of the body; what it may send already is still taken. */
  pause(): void {
    this.#isPaused = true;
    this.#window.waited();
    if (this.#state === "body") this.deadlineMs = Number.POSITIVE_INFINITY;
  }

  resume(): void {
    this.#isPaused = false;
    if (this.#state !== "body") return;
    this.#awaitBody();
    this.#grant();
    this.#host.frames.flush();
  }

  awaitWritable(): void {
    if (this.#state !== "body") this.deadlineMs = this.#host.sweep.in(this.#host.limits.writeTimeoutMs);
  }

  destroy(): void {
    this.#close(this.#endCode ?? ERROR.internal);
  }

  onDeadline(): void {
    if (this.#state === "lingering") this.#close(this.#endCode ?? ERROR.none);
    else if (this.#state === "body" && !this.writer.isFull)
      this.#guarded(() => this.#refuse({ kind: "requestTimeout", reason: "the body did not arrive in time" }));
    else this.fail(ERROR.cancel);
  }

  #takeBody(buffer: Buffer, start: number, end: number): void {
    if (!this.#isPaused) this.#awaitBody();
    if (this.#remaining >= 0) this.#remaining -= end - start;
    if (this.request.contentLength >= 0 && this.#remaining < 0)
      this.#refuse({ kind: "badRequest", reason: "the body is longer than its Content-Length" });
    else {
      this.#handler.onRequestBody(buffer, start, end);
      this.#grant();
    }
  }

  #grant(): void {
    const bytes = this.#isPaused || this.#state !== "body" ? 0 : this.#window.grant();
    if (bytes > 0) this.#host.frames.windowUpdate(this.id, bytes);
  }

  #awaitBody(): void {
    this.deadlineMs = Math.min(this.#host.sweep.in(this.#host.limits.bodyTimeoutMs), this.#bodyEndMs);
  }

  /** What arrived at once is flushed at its end; a fault of ours costs no more than the request. */
  #guarded(action: () => void): void {
    try {
      action();
      this.#handler.onRequestPause();
    } catch (error) {
      this.#handler.onFault(error);
    }
  }

  #refuse(refusal: Refusal): void {
    if (refusal.kind === "badRequest") this.#endCode = ERROR.protocol;
    this.#handler.onRequestRefused(refusal);
  }

  #close(code?: ErrorCode): void {
    if (this.#state === "free") return;
    this.#state = "free";
    this.#window.reset();
    this.deadlineMs = Number.POSITIVE_INFINITY;
    this.writer.drop();
    this.#host.onStreamClosed(this, code);
  }
}

const TOO_LARGE: Refusal = { kind: "headerTooLarge", reason: "the head has more octets or lines than it may have" };
