import { BodyReader, type BodySink } from "./body-reader.ts";
import type { HttpLimits } from "./http-limits.ts";
import type { Refusal } from "./refusal.ts";
import { HTTP2_PREFACE_LINE, RequestParser } from "./request-parser.ts";

/** Takes what a `RequestReader` finds, in order. */
export interface RequestSink extends BodySink {
  /** The first octet of a head is there. */
  onHeadBegun(): void;
  /** A head is whole. */
  onHead(): void;
  /** Something of a body is there; what of it is data is handed over next. */
  onBodyOctets(): void;
  /** A body is whole. */
  onBodyEnd(): void;
  /** What is there is no request; nothing is read any more. */
  onRefused(refusal: Refusal): void;
  /** The client speaks HTTP/2 (RFC 9113 §3.3). Answers false when it is not wanted. */
  onHttp2(octets: Buffer): boolean;
  /** The begin of a later request waits, which is enough to hold. */
  onHeld(): void;
}

/**
 * Takes requests out of the octets of a connection, one after another. What arrives of a later request (pipelining) waits until `next`,
 * with reading paused, so that at most one read of octets is held.
 */
export class RequestReader {
  readonly request = new RequestParser();
  readonly body = new BodyReader();
  readonly #sink: RequestSink;
  #state: "head" | "body" | "whole" | "stopped" = "head";
  /** Octets of later requests. */
  #waiting: Buffer | undefined;

  constructor(sink: RequestSink) {
    this.#sink = sink;
  }

  get hasWaiting(): boolean {
    return this.#waiting !== undefined;
  }

  read(buffer: Buffer, start: number, end: number, limits: HttpLimits): void {
    let at = start;
    while (at < end) {
      if (this.#state === "head") at = this.#readHead(buffer, at, end, limits);
      else if (this.#state === "body") at = this.#readBody(buffer, at, end);
      else {
        if (this.#state === "whole") this.#hold(buffer, at, end);
        return;
      }
    }
  }

  /** Another request may follow. */
  next(): void {
    this.request.reset();
    this.#state = "head";
  }

  /** The octets that wait, which are to be read now, or never. */
  takeWaiting(): Buffer | undefined {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    return waiting;
  }

  /** Whatever else arrives is not read. */
  stop(): void {
    this.#state = "stopped";
    this.#waiting = undefined;
  }

  #readHead(buffer: Buffer, start: number, end: number, limits: HttpLimits): number {
    const { request } = this;
    if (!request.hasBegun) {
      this.#sink.onHeadBegun();
      request.fields.maxCount = limits.maxFields;
    }
    const state = request.feed(buffer, start, end, limits.maxHeadBytes);
    if (state === "incomplete") return end;
    if (state === "refused") {
      if (!request.isHttp2Preface || !this.#sink.onHttp2(this.#http2Octets(buffer, start, end)))
        this.#refuse(request.refusal);
      return end;
    }
    const next = start + request.consumed;
    this.#state = request.hasBody ? "body" : "whole";
    if (request.hasBody)
      this.body.begin(request.chunked ? "chunked" : "length", request.contentLength, limits.maxHeadBytes);
    this.#sink.onHead();
    return next;
  }

  /** All that came; what is before this read is the first line, which is always the same. */
  #http2Octets(buffer: Buffer, start: number, end: number): Buffer {
    this.#state = "stopped";
    const rest = buffer.subarray(start + this.request.consumed + HTTP2_PREFACE_LINE.length, end);
    return Buffer.concat([Buffer.from(HTTP2_PREFACE_LINE), rest]);
  }

  #readBody(buffer: Buffer, start: number, end: number): number {
    this.#sink.onBodyOctets();
    const next = this.body.read(buffer, start, end, this.#sink);
    if (this.#state !== "body") return end;
    if (next < 0) {
      this.#refuse({ kind: "badRequest", reason: this.body.reason ?? "" });
      return end;
    }
    if (this.body.isDone) {
      this.#state = "whole";
      this.#sink.onBodyEnd();
    }
    return next;
  }

  #refuse(refusal: Refusal): void {
    this.stop();
    this.#sink.onRefused(refusal);
  }

  #hold(buffer: Buffer, start: number, end: number): void {
    const octets = Buffer.from(buffer.subarray(start, end));
    this.#waiting = this.#waiting === undefined ? octets : Buffer.concat([this.#waiting, octets]);
    this.#sink.onHeld();
  }
}
