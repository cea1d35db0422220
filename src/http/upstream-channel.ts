import type { BodyFraming } from "./body-reader.ts";
import type { Refusal } from "./refusal.ts";
import type { MessageWriter } from "./request-channel.ts";
import type { ResponseParser } from "./response-parser.ts";
import type { Trailers } from "./trailers.ts";
import type { TunnelEnd } from "./tunnel.ts";

/** 1xx heads before the final one. */
export const MAX_INTERIM_RESPONSES = 16;
export const NO_TIMEOUTS: ResponseTimeouts = { beginMs: 0, pauseMs: 0 };

/** Takes one response. Octets of a body are only lent for the call. */
export interface ResponseHandler {
  /** A 1xx head has been read and is in `channel.response` for the call. */
  onInterimResponse(): void;
  /** The head has been read and is in `channel.response` until the end. */
  onResponse(): void;
  /** The upstream has switched to the protocol that was asked for; its connection is to be surrendered to a tunnel now. */
  onUpgrade(): void;
  onResponseBody(buffer: Buffer, start: number, end: number): void;
  /** The response is complete, and the channel is not ours any more but for its `trailers` during the call. */
  onResponseEnd(): void;
  /** The response will never be complete; the channel is closed. */
  onResponseFailed(refusal: Refusal): void;
  /** All that arrived at once has been handed over: the time to flush. */
  onResponsePause(): void;
  /** The upstream has read what waited for it. */
  onRequestWritable(): void;
  /** A method of the handler threw; the channel is closed. */
  onFault(error: unknown): void;
}

/** How long a response may take; 0 means any time. */
export interface ResponseTimeouts {
  /** To its head. */
  readonly beginMs: number;
  /** From one piece to the next. */
  readonly pauseMs: number;
}

/**
 * Where a request goes and its response comes from: a connection of HTTP/1.1 that serves one request at a time, or a stream of
 * HTTP/2. The mirror of `RequestChannel`.
 */
export interface UpstreamChannel {
  /** The head of the response. */
  readonly response: ResponseParser;
  readonly framing: BodyFraming;
  /** What came behind the response's body. */
  readonly trailers: Trailers;
  readonly writer: MessageWriter;
  /** Whether anything of a response has arrived: after that the request cannot be tried again. */
  readonly hasAnswered: boolean;
  /** Whether the upstream promises that it has done nothing about the request, so that any may be sent again. */
  readonly isUnprocessed: boolean;
  /** Whether requests were answered on this connection before, so that it may have gone stale. */
  readonly hasServed: boolean;
  /** Whether all of the request has been written. */
  readonly isRequestComplete: boolean;
  /** Whether a body of unknown length is to be written in chunks; otherwise its end is where `completeRequest` is called. */
  readonly takesChunks: boolean;
  /** Undefined where a request cannot ask for another protocol. */
  readonly tunnelEnd: TunnelEnd | undefined;
  /** Whether the client holds its body back until the upstream says something (RFC 9110 §10.1.1). */
  isAwaited: boolean;
  /**
   * Begins a request, to be written to `writer` and then completed. `upgrade` is the protocol that it asks to switch to, in
   * lower case, if any.
   */
  begin(handler: ResponseHandler, method: string, timeouts: ResponseTimeouts, upgrade: string | undefined): void;
  /** All of the request has been written. */
  completeRequest(): void;
  /** Moves the deadline: something of the request was sent, or of the response came. None while it is our turn to send. */
  touch(): void;
  /** Stops taking the response while whoever takes it cannot keep up. */
  pause(): void;
  resume(): void;
  /** Drops the request; its handler hears nothing more. */
  destroy(): void;
}
