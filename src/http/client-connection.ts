import type { Socket } from "node:net";
import { type BodyFraming, BodyReader, type BodySink } from "./body-reader.ts";
import type { ClientTls } from "./client-tls.ts";
import { FIELD } from "./known-field.ts";
import type { OctetBuffers } from "./octet-buffers.ts";
import type { Refusal } from "./refusal.ts";
import { ResponseParser } from "./response-parser.ts";
import { type ByteSink, connectInto, type Peer } from "./socket-reader.ts";
import { SocketWriter } from "./socket-writer.ts";
import type { Deadlined, Sweep } from "./sweep.ts";
import type { Trailers } from "./trailers.ts";
import type { TunnelEnd, TunnelFlow } from "./tunnel.ts";
import {
  MAX_INTERIM_RESPONSES,
  NO_TIMEOUTS,
  type ResponseHandler,
  type ResponseTimeouts,
  type UpstreamChannel,
} from "./upstream-channel.ts";

/** Where a connection goes and what it may take. */
export interface ClientOptions {
  readonly peer: Peer;
  readonly dialTimeoutMs: number;
  /** How long securing the connection may take once it is open. */
  readonly handshakeTimeoutMs: number;
  readonly maxHeadBytes: number;
  readonly sweep: Sweep;
  readonly buffers: OctetBuffers;
  /** A response is complete and the connection can take another request. */
  readonly onFree: (connection: ClientConnection) => void;
  readonly onClosed: (connection: ClientConnection) => void;
}

/** What is said when a connection is too late, by what it was about. */
const LATE: Readonly<Record<"dialling" | "securing" | "open", Refusal>> = {
  dialling: { kind: "upstreamRefused", reason: "the connection did not open in time" },
  securing: { kind: "upstreamRefused", reason: "the TLS handshake did not end in time" },
  open: { kind: "upstreamTimeout", reason: "the upstream did not go on in time" },
};

/** The client's side of an HTTP/1.1 connection: sends one request at a time and reads its response strictly. */
export class ClientConnection implements UpstreamChannel, ByteSink, BodySink, Deadlined, TunnelEnd {
  readonly response = new ResponseParser();
  readonly writer: SocketWriter;
  readonly takesChunks = true;
  readonly isUnprocessed = false;
  deadlineMs: number;
  hasAnswered = false;
  hasServed = false;
  isAwaited = false;
  framing: BodyFraming = "none";
  #isRequestComplete = false;
  #interimResponses = 0;
  readonly socket: Socket;
  readonly #options: ClientOptions;
  readonly #body = new BodyReader();
  #state: "dialling" | "securing" | "idle" | "head" | "body" | "tunnel" | "closed" = "dialling";
  #handler: ResponseHandler | undefined;
  #isHead = false;
  #timeouts = NO_TIMEOUTS;
  #upgrade: string | undefined;
  #flow: TunnelFlow | undefined;
  #failure: Refusal | undefined;
  #hasLeft = false;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.deadlineMs = options.sweep.in(options.dialTimeoutMs);
    const socket = connectInto(options.buffers.read, this, options.peer);
    this.socket = socket;
    this.writer = new SocketWriter(socket, options.buffers);
    options.sweep.add(this);
    if (options.peer.tls === undefined) socket.on("connect", () => this.#onReady());
    else {
      socket.on("connect", () => this.#onConnect());
      socket.on("secureConnect", () => this.#onReady());
    }
    socket.on("drain", () => this.#onDrain());
    socket.on("end", () => this.#onEnd());
    socket.on("error", (error) => this.#fail(this.#failureOf(error)));
    socket.on("close", () => this.#onClose());
  }

  get #isOpening(): boolean {
    return this.#state === "dialling" || this.#state === "securing";
  }

  /** How it is secured; undefined where it is not. */
  get tls(): ClientTls | undefined {
    return this.#options.peer.tls;
  }

  get isRequestComplete(): boolean {
    return this.#isRequestComplete;
  }

  get trailers(): Trailers {
    return this.#body.trailers;
  }

  get tunnelEnd(): TunnelEnd {
    return this;
  }

  begin(handler: ResponseHandler, method: string, timeouts: ResponseTimeouts, upgrade: string | undefined): void {
    this.#handler = handler;
    this.#isHead = method === "HEAD";
    this.#timeouts = timeouts;
    this.#upgrade = upgrade;
    this.hasAnswered = false;
    this.isAwaited = false;
    this.#isRequestComplete = false;
    this.#interimResponses = 0;
    this.response.reset();
    if (this.#isOpening) return;
    this.#state = "head";
    this.touch();
  }

  completeRequest(): void {
    this.#isRequestComplete = true;
    this.touch();
  }

  touch(): void {
    if (this.#isOpening) return;
    const hasBegun = this.#state === "body";
    const isUpstreamsTurn = this.#isRequestComplete || hasBegun || this.writer.isFull || this.isAwaited;
    const limitMs = hasBegun ? this.#timeouts.pauseMs : this.#timeouts.beginMs;
    this.deadlineMs = isUpstreamsTurn ? this.#options.sweep.in(limitMs) : Number.POSITIVE_INFINITY;
  }

  /** Keeps an idle connection for `idleTimeoutMs`. */
  rest(idleTimeoutMs: number): void {
    this.deadlineMs = this.#options.sweep.in(idleTimeoutMs);
  }

  pause(): void {
    this.socket.pause();
    this.deadlineMs = Number.POSITIVE_INFINITY;
  }

  resume(): void {
    this.touch();
    this.socket.resume();
  }

  /** Drops the connection and forgets its handler. */
  destroy(): void {
    this.#handler = undefined;
    this.#leave();
    this.socket.destroy();
  }

  surrender(flow: TunnelFlow): void {
    this.#state = "tunnel";
    this.#handler = undefined;
    this.#flow = flow;
    this.deadlineMs = Number.POSITIVE_INFINITY;
    this.socket.allowHalfOpen = true;
  }

  onDeadline(): void {
    this.#fail(LATE[this.#state === "dialling" || this.#state === "securing" ? this.#state : "open"]);
    this.socket.destroy();
  }

  onBytes(buffer: Buffer, end: number): void {
    if (this.#flow !== undefined) {
      this.#flow.onOctets(buffer, 0, end);
      return;
    }
    if (this.#handler === undefined) {
      this.socket.destroy(); // Nobody asked: what follows could be taken for the answer to the next request.
      return;
    }
    this.hasAnswered = true;
    if (this.#state === "body") this.touch(); // A head that comes in small pieces gains no time by that.
    const handler = this.#handler;
    try {
      let at = 0;
      while (at < end && this.#handler !== undefined)
        at = this.#state === "head" ? this.#readHead(buffer, at, end) : this.#readBody(buffer, at, end);
      this.#handler?.onResponsePause();
    } catch (error) {
      this.destroy();
      handler.onFault(error);
    }
  }

  onBody(buffer: Buffer, start: number, end: number): void {
    this.#handler?.onResponseBody(buffer, start, end);
  }

  #readHead(buffer: Buffer, start: number, end: number): number {
    const { response } = this;
    const state = response.feed(buffer, start, end, this.#options.maxHeadBytes);
    if (state === "incomplete") return end;
    if (state === "refused") return this.#refuse(response.refusal.reason);
    const next = start + response.consumed;
    if (response.status === 101) return this.#switch(buffer, next, end);
    if (response.status < 200) {
      if (++this.#interimResponses > MAX_INTERIM_RESPONSES) return this.#refuse("it never comes to the point");
      this.#handler?.onInterimResponse();
      response.reset();
      this.touch();
      return next;
    }
    this.framing = this.#framing();
    this.#body.begin(this.framing, response.contentLength, this.#options.maxHeadBytes);
    this.#state = "body";
    this.#handler?.onResponse();
    if (this.#handler === undefined) return end; // It does not want the response.
    if (this.#body.isDone) this.#end(next === end);
    else this.touch();
    return next;
  }

  /** RFC 9110 §7.8: only to what was asked for. */
  #switch(buffer: Buffer, start: number, end: number): number {
    if (this.#upgrade === undefined) return this.#refuse("it switches protocols without being asked");
    if (this.response.fields.joined(FIELD.upgrade)?.toLowerCase() !== this.#upgrade)
      return this.#refuse("it switches to another protocol than it was asked to");
    this.#handler?.onUpgrade();
    if (start < end) this.#flow?.onOctets(buffer, start, end);
    return end;
  }

  #readBody(buffer: Buffer, start: number, end: number): number {
    const next = this.#body.read(buffer, start, end, this);
    if (next < 0) return this.#refuse(this.#body.reason ?? "");
    if (this.#body.isDone) this.#end(next === end);
    return next;
  }

  /** RFC 9112 §6.3, for responses. */
  #framing(): BodyFraming {
    const { status, chunked, contentLength } = this.response;
    if (this.#isHead || status === 204 || status === 304) return "none";
    if (chunked) return "chunked";
    return contentLength >= 0 ? "length" : "until-close";
  }

  #end(isBufferUsedUp: boolean): void {
    const { response } = this;
    const handler = this.#handler;
    // A 204 that announces a body would leave it to us to guess whether one follows.
    const isClear = response.status !== 204 || (!response.chunked && response.contentLength <= 0);
    const isReusable =
      isBufferUsedUp && isClear && response.keepAlive && this.#isRequestComplete && this.framing !== "until-close";
    this.#handler = undefined;
    this.hasServed = true;
    this.#state = "idle";
    if (isReusable) this.#options.onFree(this);
    else this.socket.destroy();
    handler?.onResponseEnd();
  }

  #refuse(reason: string): number {
    this.#fail({ kind: "upstreamInvalid", reason });
    this.socket.destroy();
    return Number.MAX_SAFE_INTEGER;
  }

  /** To be followed by the end of the socket. */
  #fail(failure: Refusal): void {
    this.#failure ??= failure;
    this.#leave();
    const handler = this.#handler;
    this.#handler = undefined;
    handler?.onResponseFailed(this.#failure);
  }

  #failureOf(error: Error): Refusal {
    const reason = "code" in error ? String(error.code) : error.message;
    if (this.#state === "securing")
      return {
        kind: "upstreamRefused",
        reason: `the TLS handshake failed: ${reason} (${error.message.split("\n")[0]})`,
      };
    return { kind: this.#state === "dialling" ? "upstreamRefused" : "upstreamReset", reason };
  }

  #onConnect(): void {
    this.#state = "securing";
    this.deadlineMs = this.#options.sweep.in(this.#options.handshakeTimeoutMs);
  }

  #onReady(): void {
    if (this.#handler === undefined) {
      this.#state = "idle";
      return;
    }
    this.#state = "head";
    this.touch();
  }

  #onDrain(): void {
    this.writer.onDrain();
    if (this.#flow !== undefined) {
      this.#flow.onWritable();
      return;
    }
    this.touch();
    this.#handler?.onRequestWritable();
  }

  #onEnd(): void {
    if (this.#flow !== undefined) {
      this.#flow.onEnd();
      return;
    }
    if (this.#state === "body" && this.framing === "until-close") this.#end(true);
    else this.#fail({ kind: "upstreamReset", reason: "the upstream closed the connection" });
    this.socket.destroy();
  }

  #onClose(): void {
    this.#fail({ kind: "upstreamReset", reason: "the upstream closed the connection" });
    this.#state = "closed";
    this.#flow?.onClose();
    this.#leave();
  }

  /** Gives up the place among the open connections, so that another one may take it at once. */
  #leave(): void {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    this.#options.sweep.delete(this);
    this.#options.onClosed(this);
  }
}
