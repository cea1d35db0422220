import type { Refusal } from "./refusal.ts";
import type { RequestParser } from "./request-parser.ts";
import type { Trailers } from "./trailers.ts";
import type { TunnelEnd } from "./tunnel.ts";

/** Takes a message as HTTP/1.1 writes it; octets are latin1 in text and only lent otherwise. */
export interface MessageWriter {
  /** Whether the peer reads more slowly than we write; the handler is told when it has caught up. */
  readonly isFull: boolean;
  text(text: string): void;
  bytes(buffer: Buffer, start: number, end: number): void;
  /** The lines of fields behind a body, only where bodies are not written in chunks. Nothing but the end follows. */
  trailers?(lines: string): void;
  flush(): void;
}

/**
 * Takes the requests of one channel, one at a time: after `onRequest` come the pieces of the body and `onRequestEnd`, and
 * no other request until `finish`. Octets of a body are only lent for the call.
 */
export interface RequestHandler {
  /** A head has been read and is in `channel.request` until `finish`. */
  onRequest(): void;
  onRequestBody(buffer: Buffer, start: number, end: number): void;
  /** The body is complete. Not called for a request without one. */
  onRequestEnd(): void;
  /** What arrived is not acceptable, or did not arrive in time. To be answered with `finish(false)`, or dropped. */
  onRequestRefused(refusal: Refusal): void;
  /** All that arrived at once has been handed over: the time to flush. */
  onRequestPause(): void;
  /** The client has read what waited for it. */
  onResponseWritable(): void;
  /** The client went away before `finish`. */
  onClientGone(): void;
  /** A method of the handler threw. To be answered with `finish(false)`, or dropped. */
  onFault(error: unknown): void;
  /** The connection is closed; nothing follows. */
  onClientClosed(): void;
}

/**
 * Where requests come from, one after another, and their answers go: a connection of HTTP/1.1, or the streams of HTTP/2 that took
 * one place of their connection after another. What happens on it is told to a `RequestHandler`.
 */
export interface RequestChannel {
  /** The request being served. */
  readonly request: RequestParser;
  readonly writer: MessageWriter;
  /** `HTTP/1.0`, `HTTP/1.1` or `HTTP/2`, as the client speaks it. */
  readonly protocol: string;
  /** Whether the channel is to be closed with the next answer. */
  readonly isClosing: boolean;
  /** Whether all of the current request has arrived. */
  readonly isRequestComplete: boolean;
  /** What came behind the body of the request. */
  readonly trailers: Trailers;
  /** Whether a body of unknown length is to be written in chunks; otherwise its end is where `finish` is called. */
  readonly takesChunks: boolean;
  /** Undefined where a request cannot ask for another protocol. */
  readonly tunnelEnd: TunnelEnd | undefined;
  /** The answer is complete. `keepAlive` says whether another request may follow on an HTTP/1.1 connection. */
  finish(keepAlive: boolean): void;
  /** Tells a client that waits for it to send its body. */
  askForBody(): void;
  /** Stops taking the body while whoever takes it cannot keep up. */
  pause(): void;
  resume(): void;
  /** To be called after a flush that left the client with something to read. */
  awaitWritable(): void;
  /** Drops the request, so that the client can tell that the answer was cut. */
  destroy(): void;
}
