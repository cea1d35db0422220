import { type ClientHttp2Stream, constants } from "node:http2";
import type { BodyFraming } from "../body-reader.ts";
import type { OctetBuffers } from "../octet-buffers.ts";
import type { Refusal } from "../refusal.ts";
import { ResponseParser } from "../response-parser.ts";
import type { Deadlined, Sweep } from "../sweep.ts";
import { NO_TRAILERS, readTrailers } from "../trailers.ts";
import { MAX_INTERIM_RESPONSES, NO_TIMEOUTS, type ResponseHandler, type UpstreamChannel } from "../upstream-channel.ts";
import { cutStream } from "./cut-stream.ts";
import type { HeadOptions } from "./request-writer.ts";
import { RequestWriter } from "./request-writer.ts";
import { readResponseHead } from "./response-head.ts";

/** What a place needs of its connection. */
export interface ClientStreamHost {
  readonly scheme: string;
  readonly sweep: Sweep;
  readonly buffers: OctetBuffers;
  readonly maxHeadBytes: number;
  /** Whether requests are on their way already, not only gathered. */
  readonly isOpen: boolean;
  /** Whether requests were answered on this connection before. */
  readonly hasServed: boolean;
  /** Why the connection is at its end, if so. */
  readonly failure: Refusal | undefined;
  /** Undefined when the connection takes no more requests. */
  request(head: readonly string[], options: HeadOptions): ClientHttp2Stream | undefined;
  /** Something arrived, so the peer is there. */
  heard(): void;
  /** A response did not come in time. */
  onLate(place: ClientStream): void;
  /** The stream is closed and the place is free. */
  onStreamClosed(place: ClientStream, wasServed: boolean): void;
}

/**
 * A place for streams of an HTTP/2 connection to an upstream: takes one request after another, as `ClientConnection` does. Flow
 * control of the protocol bounds what is held: a stream that is paused is granted no more than its window.
 */
export class ClientStream implements UpstreamChannel, Deadlined {
  readonly response = new ResponseParser();
  readonly writer: RequestWriter;
  readonly takesChunks = false;
  readonly tunnelEnd = undefined;
  deadlineMs = Number.POSITIVE_INFINITY;
  /** On the clock of the sweep. */
  begunMs = 0;
  framing: BodyFraming = "none";
  trailers = NO_TRAILERS;
  hasAnswered = false;
  isUnprocessed = false;
  isAwaited = false;
  isRequestComplete = false;
  readonly #host: ClientStreamHost;
  #handler: ResponseHandler | undefined;
  #stream: ClientHttp2Stream | undefined;
  #state: "free" | "head" | "body" | "served" | "cut" = "free";
  #timeouts = NO_TIMEOUTS;
  #isHead = false;
  #interimResponses = 0;
  /** Whether the upstream has ended the stream, and not only broken it off. */
  #hasEnded = false;
  /** Octets of the body that are still to come, -1 when the head did not say. */
  #remaining = -1;

  constructor(host: ClientStreamHost) {
    this.#host = host;
    this.writer = new RequestWriter(host.buffers, host.scheme, (head, options) => this.#open(head, options));
  }

  get hasServed(): boolean {
    return this.#host.hasServed;
  }

  begin(handler: ResponseHandler, method: string, timeouts = NO_TIMEOUTS): void {
    this.#handler = handler;
    this.#isHead = method === "HEAD";
    this.#timeouts = timeouts;
    this.#state = "head";
    this.#interimResponses = 0;
    this.#remaining = -1;
    this.#hasEnded = false;
    this.begunMs = this.#host.sweep.nowMs;
    this.hasAnswered = false;
    this.isUnprocessed = false;
    this.isAwaited = false;
    this.isRequestComplete = false;
    this.trailers = NO_TRAILERS;
    this.response.reset();
    this.writer.begin();
    this.touch();
  }

  completeRequest(): void {
    this.isRequestComplete = true;
    this.writer.end();
    this.touch();
  }

  touch(): void {
    const hasBegun = this.#state === "body";
    const isOver = !hasBegun && this.#state !== "head";
    const isUpstreamsTurn = this.isRequestComplete || hasBegun || this.writer.isFull || this.isAwaited;
    const limitMs = hasBegun ? this.#timeouts.pauseMs : this.#timeouts.beginMs;
    const isCounting = this.#host.isOpen && isUpstreamsTurn && !isOver;
    this.deadlineMs = isCounting ? this.#host.sweep.in(limitMs) : Number.POSITIVE_INFINITY;
  }

  pause(): void {
    this.#stream?.pause();
    this.deadlineMs = Number.POSITIVE_INFINITY;
  }

  resume(): void {
    this.#stream?.resume();
    this.touch();
  }

  destroy(): void {
    this.#handler = undefined;
    this.#cut();
  }

  onDeadline(): void {
    this.#host.onLate(this);
    this.#fail({ kind: "upstreamTimeout", reason: "the upstream did not go on in time" });
  }

  #open(head: readonly string[], options: HeadOptions): ClientHttp2Stream | undefined {
    const stream = this.#host.request(head, options);
    this.#stream = stream;
    if (stream === undefined) {
      // Told when whoever is sending just now has done so.
      this.isUnprocessed = true;
      setImmediate(this.#onClose);
      return undefined;
    }
    this.#watchEnd(stream);
    stream.on("headers", this.#onInterimHead);
    stream.on("response", this.#onHead);
    stream.on("data", this.#onData);
    stream.on("trailers", this.#onTrailers);
    stream.on("end", this.#onEnd);
    stream.on("drain", this.#onDrain);
    stream.on("error", ignore); // "close" follows, and is what matters.
    stream.on("close", this.#onClose);
    return stream;
  }

  /**
   * A reset with NO_ERROR looks like an end to the runtime, which would make a response complete that was cut. At a true end the
   * stream is not closed yet when it is told that nothing follows.
   */
  #watchEnd(stream: ClientHttp2Stream): void {
    const push = stream.push;
    stream.push = (bytes: unknown, encoding?: BufferEncoding) => {
      if (bytes === null && !stream.closed) this.#hasEnded = true;
      return push.call(stream, bytes, encoding);
    };
  }

  readonly #onInterimHead = (_headers: unknown, _flags: number, raw?: readonly string[]): void => {
    this.#take((handler) => {
      if (!this.#readHead(raw)) return;
      if (this.response.status === 101) this.#refuse("it switches protocols, which HTTP/2 does not");
      else if (++this.#interimResponses > MAX_INTERIM_RESPONSES) this.#refuse("it never comes to the point");
      else {
        handler.onInterimResponse();
        this.response.reset();
        this.touch();
      }
    });
  };

  readonly #onHead = (_headers: unknown, flags: number, raw?: readonly string[]): void => {
    this.#take((handler) => {
      if (!this.#readHead(raw)) return;
      const isComplete = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
      const reason = this.#readFraming(isComplete);
      if (reason !== undefined) {
        this.#refuse(reason);
        return;
      }
      this.#state = "body";
      this.touch();
      handler.onResponse();
      // At once, so that what is nothing but a head goes on as such: for gRPC this makes a difference.
      if (isComplete) this.#end();
    });
  };

  readonly #onData = (bytes: Buffer): void => {
    this.#take((handler) => {
      if (this.#remaining >= 0) this.#remaining -= bytes.length;
      if (this.framing === "none" || (this.framing === "length" && this.#remaining < 0)) {
        this.#refuse("its body is longer than it may be");
        return;
      }
      this.touch();
      handler.onResponseBody(bytes, 0, bytes.length);
    });
  };

  /** Comes before the end, if at all. */
  readonly #onTrailers = (_fields: unknown, _flags: number, raw?: readonly string[]): void => {
    this.#take(() => {
      const trailers = raw === undefined ? undefined : readTrailers(raw, this.#host.maxHeadBytes);
      if (trailers === undefined) this.#refuse("its trailers are not valid");
      else this.trailers = trailers;
    });
  };

  readonly #onEnd = (): void => {
    if (this.#state !== "body" || !this.#hasEnded) return;
    if (this.#remaining > 0) {
      this.#refuse("its body is shorter than its Content-Length");
      return;
    }
    this.#end();
  };

  readonly #onDrain = (): void => {
    this.writer.isFull = false;
    this.touch();
    this.#handler?.onRequestWritable();
  };

  readonly #onClose = (): void => {
    const code = this.#stream?.rstCode;
    if (code === constants.NGHTTP2_REFUSED_STREAM) this.isUnprocessed = true;
    const wasServed = this.#state === "served";
    const reason =
      code === undefined ? "the connection takes no more requests" : `the stream was reset with code ${code}`;
    this.#fail(this.#host.failure ?? { kind: "upstreamReset", reason });
    this.#state = "free";
    this.#stream = undefined;
    this.#host.onStreamClosed(this, wasServed);
  };

  /** Something arrived, and is for the handler, if there still is one. */
  #take(deliver: (handler: ResponseHandler) => void): void {
    const handler = this.#handler;
    this.#host.heard();
    if (handler === undefined) return;
    this.hasAnswered = true;
    try {
      deliver(handler);
      this.#handler?.onResponsePause();
    } catch (error) {
      this.destroy();
      handler.onFault(error);
    }
  }

  #readHead(raw: readonly string[] | undefined): boolean {
    const reason = readResponseHead(this.response, raw ?? [], this.#host.maxHeadBytes);
    if (reason !== undefined) this.#refuse(reason);
    return reason === undefined;
  }

  /** What `isComplete` says is said in the words of HTTP/1.1. Answers why the two do not fit. */
  #readFraming(isComplete: boolean): string | undefined {
    const { response } = this;
    const { status, contentLength } = response;
    const hasNoBody = this.#isHead || status === 204 || status === 304;
    if (isComplete && !hasNoBody) {
      if (contentLength > 0) return "its body is shorter than its Content-Length";
      response.contentLength = 0;
    }
    this.framing = hasNoBody ? "none" : response.contentLength >= 0 ? "length" : "chunked";
    if (this.framing === "length") this.#remaining = response.contentLength;
    return undefined;
  }

  #end(): void {
    const handler = this.#handler;
    this.#handler = undefined;
    this.#state = "served";
    this.deadlineMs = Number.POSITIVE_INFINITY;
    this.#host.heard();
    if (!this.isRequestComplete) this.#cut(); // What is left of it is not wanted (RFC 9113 §8.1).
    try {
      handler?.onResponseEnd();
    } catch (error) {
      handler?.onFault(error);
    }
  }

  #refuse(reason: string): void {
    this.#fail({ kind: "upstreamInvalid", reason });
  }

  #fail(refusal: Refusal): void {
    const handler = this.#handler;
    this.#handler = undefined;
    this.#cut();
    handler?.onResponseFailed(refusal);
  }

  #cut(): void {
    if (this.#state !== "served") this.#state = "cut";
    this.deadlineMs = Number.POSITIVE_INFINITY;
    const stream = this.#stream;
    if (stream !== undefined && !stream.destroyed) cutStream(stream, constants.NGHTTP2_CANCEL);
  }
}

function ignore(): void {}
