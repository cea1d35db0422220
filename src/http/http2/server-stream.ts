import { constants, type ServerHttp2Stream } from "node:http2";
import type { HttpLimits } from "../http-limits.ts";
import type { OctetBuffers } from "../octet-buffers.ts";
import type { Refusal } from "../refusal.ts";
import type { RequestChannel, RequestHandler } from "../request-channel.ts";
import { RequestParser } from "../request-parser.ts";
import type { Deadlined, Sweep } from "../sweep.ts";
import { NO_TRAILERS, readTrailers, type Trailers } from "../trailers.ts";
import { AnswerWriter } from "./answer-writer.ts";
import { readRequestHead } from "./request-head.ts";

/** What a place needs of its connection. */
export interface StreamHost {
  readonly limits: HttpLimits;
  readonly sweep: Sweep;
  readonly buffers: OctetBuffers;
  /** The stream is closed and the place is free. `wasServed` is false when the client took its request back. */
  onStreamClosed(place: ServerStream, wasServed: boolean): void;
}

/**
 * What may still come of a request that is answered, and for how long, before the stream is reset. Most end it by themselves; there are
 * clients, grpc-js among them, that take a reset which comes with the answer for the end of it.
 */
const MAX_UNWANTED_BYTES = 65_536;
const LINGER_MS = 500;

/**
 * A place for streams of an HTTP/2 connection: takes one after another, as `ServerConnection` takes requests. A connection has as
 * many places as it had streams at a time.
 */
export class ServerStream implements RequestChannel, Deadlined {
  readonly request = new RequestParser();
  readonly writer: AnswerWriter;
  readonly protocol = "HTTP/2";
  readonly isClosing = false;
  readonly takesChunks = false;
  readonly tunnelEnd = undefined;
  deadlineMs = Number.POSITIVE_INFINITY;
  readonly #host: StreamHost;
  readonly #handler: RequestHandler;
  #stream: ServerHttp2Stream | undefined;
  #state: "free" | "body" | "answering" | "lingering" | "finished" | "gone" = "free";
  /** When the whole body has to be there. */
  #bodyEndMs = Number.POSITIVE_INFINITY;
  /** Octets of the body that are still to come, -1 when the head did not say. */
  #remaining = -1;
  #trailers = NO_TRAILERS;
  #unwantedBytes = 0;

  constructor(host: StreamHost, handler: RequestHandler) {
    this.#host = host;
    this.#handler = handler;
    this.writer = new AnswerWriter(host.buffers);
  }

  get isRequestComplete(): boolean {
    return this.#state === "answering";
  }

  get trailers(): Trailers {
    return this.#trailers;
  }

  /** Serves a new stream; the place has to be free. */
  serve(stream: ServerHttp2Stream, raw: readonly string[], isComplete: boolean): void {
    this.#stream = stream;
    this.writer.begin(stream);
    this.request.reset();
    this.#trailers = NO_TRAILERS;
    stream.on("error", ignore); // "close" follows, and is what matters.
    stream.on("aborted", this.#onAborted);
    stream.on("close", this.#onClose);
    try {
      this.#begin(stream, raw, isComplete);
      this.#handler.onRequestPause();
    } catch (error) {
      this.#handler.onFault(error);
    }
  }

  finish(): void {
    const stream = this.#stream;
    const isComplete = this.#state === "answering";
    if (stream === undefined || (!isComplete && this.#state !== "body")) return;
    this.#state = isComplete ? "finished" : "lingering";
    this.writer.end();
    this.writer.flush();
    this.deadlineMs = this.#host.sweep.in(isComplete ? this.#host.limits.writeTimeoutMs : LINGER_MS);
    this.#unwantedBytes = 0;
    // Not where nothing is to come: the runtime would close the stream before its last write, and make an error of that.
    if (!isComplete) stream.resume();
  }

  /** Whatever else of the request is on its way is not wanted any more (RFC 9113 §8.1). */
  #endRequest(): void {
    this.#state = "finished";
    this.deadlineMs = this.#host.sweep.in(this.#host.limits.writeTimeoutMs);
    this.#stream?.close(constants.NGHTTP2_NO_ERROR);
  }

  askForBody(): void {
    this.writer.text("HTTP/1.1 100 Continue\r\n\r\n");
    if (this.#state === "body") this.#awaitBody();
  }

  pause(): void {
    this.#stream?.pause();
    if (this.#state === "body") this.deadlineMs = Number.POSITIVE_INFINITY;
  }

  resume(): void {
    if (this.#state === "body") this.#awaitBody();
    this.#stream?.resume();
  }

  awaitWritable(): void {
    const stream = this.#stream;
    if (stream?.listenerCount("drain") === 0) stream.on("drain", this.#onDrain);
    if (this.#state !== "body") this.deadlineMs = this.#host.sweep.in(this.#host.limits.writeTimeoutMs);
  }

  destroy(): void {
    this.#drop(constants.NGHTTP2_INTERNAL_ERROR);
  }

  onDeadline(): void {
    if (this.#state === "lingering") this.#endRequest();
    else if (this.#state === "body" && !this.writer.isFull)
      this.#refuse({ kind: "requestTimeout", reason: "the body did not arrive in time" });
    else {
      const wasServing = this.#state === "body" || this.#state === "answering";
      this.#drop(constants.NGHTTP2_CANCEL);
      if (wasServing) this.#handler.onClientGone();
    }
  }

  #begin(stream: ServerHttp2Stream, raw: readonly string[], isComplete: boolean): void {
    const { request } = this;
    this.#state = isComplete ? "answering" : "body";
    this.deadlineMs = Number.POSITIVE_INFINITY;
    request.fields.maxCount = this.#host.limits.maxFields;
    const refusal = readRequestHead(request, raw, isComplete, this.#host.limits.maxHeadBytes);
    if (refusal !== undefined) {
      this.#refuse(refusal);
      return;
    }
    if (!isComplete) this.#takeBody(stream);
    this.#handler.onRequest();
  }

  #takeBody(stream: ServerHttp2Stream): void {
    const { request } = this;
    this.#remaining = request.contentLength;
    this.#bodyEndMs = this.#host.sweep.in(this.#host.limits.wholeBodyTimeoutMs);
    if (!request.hasBody)
      this.#state = "answering"; // Only the end of the stream is still to come.
    else if (!request.expectsContinue) this.#awaitBody(); // A client that waits to be told to go on is not slow.
    stream.on("data", this.#onData);
    stream.on("trailers", this.#onTrailers);
    stream.on("end", this.#onEnd);
  }

  readonly #onData = (bytes: Buffer): void => {
    if (this.#state === "lingering") {
      this.#unwantedBytes += bytes.length;
      if (this.#unwantedBytes > MAX_UNWANTED_BYTES) this.#endRequest();
    }
    if (this.#state !== "body") return;
    this.#awaitBody();
    try {
      if (this.#remaining >= 0) this.#remaining -= bytes.length;
      if (this.request.contentLength >= 0 && this.#remaining < 0)
        this.#refuse({ kind: "badRequest", reason: "the body is longer than its Content-Length" });
      else this.#handler.onRequestBody(bytes, 0, bytes.length);
      this.#handler.onRequestPause();
    } catch (error) {
      this.#handler.onFault(error);
    }
  };

  /** Comes before the end, if at all. */
  readonly #onTrailers = (_fields: unknown, _flags: number, raw?: readonly string[]): void => {
    const trailers = raw === undefined ? undefined : readTrailers(raw, this.#host.limits.maxHeadBytes);
    if (trailers === undefined) this.#refuse({ kind: "badRequest", reason: "the trailers are not valid" });
    else this.#trailers = trailers;
  };

  readonly #onEnd = (): void => {
    if (this.#state !== "body" || this.#stream?.aborted !== false) return;
    try {
      if (this.#remaining > 0)
        this.#refuse({ kind: "badRequest", reason: "the body is shorter than its Content-Length" });
      else {
        this.#state = "answering";
        this.deadlineMs = Number.POSITIVE_INFINITY;
        this.#handler.onRequestEnd();
      }
      this.#handler.onRequestPause();
    } catch (error) {
      this.#handler.onFault(error);
    }
  };

  readonly #onDrain = (): void => {
    this.writer.isFull = false;
    if (this.#state === "answering") this.deadlineMs = Number.POSITIVE_INFINITY;
    this.#handler.onResponseWritable();
  };

  /** The stream was reset, or its connection is gone. */
  readonly #onAborted = (): void => {
    if (this.#state !== "body" && this.#state !== "answering") return;
    this.#state = "gone";
    this.#handler.onClientGone();
  };

  readonly #onClose = (): void => {
    this.#onAborted();
    const wasServed = this.#state === "finished" || this.#state === "lingering";
    this.#state = "free";
    this.#stream = undefined;
    this.deadlineMs = Number.POSITIVE_INFINITY;
    this.#host.onStreamClosed(this, wasServed);
  };

  #awaitBody(): void {
    this.deadlineMs = Math.min(this.#host.sweep.in(this.#host.limits.bodyTimeoutMs), this.#bodyEndMs);
  }

  #refuse(refusal: Refusal): void {
    this.#handler.onRequestRefused(refusal);
  }

  #drop(code: number): void {
    this.#state = "gone";
    this.deadlineMs = Number.POSITIVE_INFINITY;
    const stream = this.#stream;
    if (stream === undefined) return;
    // `close` begins with `end`, which would tell the client that a cut answer is complete before the reset does otherwise.
    stream._final = (done) => done();
    stream.close(code);
    stream.destroy(); // Without waiting for a client that does not read.
  }
}

function ignore(): void {}
