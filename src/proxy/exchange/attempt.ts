import type { ClientConnection, ResponseHandler, ResponseTimeouts } from "../../http/client-connection.ts";
import type { Refusal } from "../../http/refusal.ts";
import type { RequestParser } from "../../http/request-parser.ts";
import type { CompiledTarget } from "../upstream/balancer.ts";
import { writeBody } from "./body-framing.ts";

/** Methods that a target may get twice without doing more than once (RFC 9110 §9.2.2). */
const IDEMPOTENT = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);

/** What is sent to a target. */
export interface Sending {
  readonly request: RequestParser;
  /** The head as the target gets it. */
  readonly head: string;
  readonly timeouts: ResponseTimeouts;
  /** The protocol that the request asks to switch to, in lower case, if any. */
  readonly upgrade: string | undefined;
}

/** Who makes attempts, and is told how they go. Octets of a body are only lent for the call. */
export interface AttemptOwner {
  /** A 1xx head is in `connection.response` for the call. */
  onInterimResponse(connection: ClientConnection): void;
  /** The head of the response is in `connection.response` until the end. */
  onResponse(connection: ClientConnection): void;
  /** The target has switched protocols; the connection is to be surrendered to a tunnel now. */
  onUpgrade(connection: ClientConnection): void;
  onResponseBody(buffer: Buffer, start: number, end: number): void;
  /** All that arrived at once has been handed over: the time to flush. */
  onResponsePause(): void;
  /** The response is complete. */
  onResponseEnd(): void;
  /** There will be no response, or it will never be complete. */
  onAttemptFailed(attempt: Attempt, refusal: Refusal): void;
  /** The target has read what waited for it. */
  onRequestWritable(): void;
  onFault(error: unknown): void;
}

/**
 * One try to have a request answered by one target: takes a connection of the target's pool, sends head and body, hands on the
 * response, and gives the connection back. One object serves one try after another. A kept connection that turns out to have
 * gone stale, as nobody's fault, is replaced by a new one once, when nothing of the request can have been acted on.
 */
export class Attempt implements ResponseHandler {
  target: CompiledTarget | undefined;
  readonly #owner: AttemptOwner;
  #connection: ClientConnection | undefined;
  /** Kept until the response begins, for a connection that turns out to have gone stale. */
  #sending: Sending | undefined;
  #hasDialledAgain = false;

  constructor(owner: AttemptOwner) {
    this.#owner = owner;
  }

  /** Whether a target is being asked. */
  get isOpen(): boolean {
    return this.#connection !== undefined;
  }

  /** Sends the head. Answers false when the target has no connection to spare. */
  begin(target: CompiledTarget, sending: Sending): boolean {
    this.target = target;
    this.#hasDialledAgain = false;
    return this.#send(target.pool.acquire(), sending);
  }

  /** Sends a piece of the body on. */
  body(buffer: Buffer, start: number, end: number): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    connection.isAwaited = false;
    connection.touch();
    writeBody(connection.writer, this.#sending?.request.chunked === true, buffer, start, end);
  }

  /** The body is complete. */
  complete(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    if (this.#sending?.request.chunked === true) connection.writer.text("0\r\n\r\n");
    connection.completeRequest();
  }

  /** Lets go what was gathered. Answers true when the target cannot keep up, so that no more should be sent for now. */
  flush(): boolean {
    const connection = this.#connection;
    if (connection === undefined) return false;
    connection.writer.flush();
    if (!connection.writer.isFull || connection.isRequestComplete) return false;
    connection.touch();
    return true;
  }

  pause(): void {
    this.#connection?.pause();
  }

  resume(): void {
    this.#connection?.resume();
  }

  /** Gives up: the target's response is not wanted any more. */
  drop(): void {
    const connection = this.#connection;
    this.#forget();
    connection?.destroy();
  }

  onInterimResponse(): void {
    if (this.#connection !== undefined) this.#owner.onInterimResponse(this.#connection);
  }

  onResponse(): void {
    if (this.#connection !== undefined) this.#owner.onResponse(this.#connection);
  }

  onUpgrade(): void {
    const connection = this.#connection;
    this.#forget();
    if (connection !== undefined) this.#owner.onUpgrade(connection);
  }

  onResponseBody(buffer: Buffer, start: number, end: number): void {
    this.#owner.onResponseBody(buffer, start, end);
  }

  onResponsePause(): void {
    this.#owner.onResponsePause();
  }

  onResponseEnd(isReusable: boolean): void {
    const connection = this.#connection;
    this.#forget();
    if (isReusable && connection !== undefined) this.target?.pool.release(connection);
    this.#owner.onResponseEnd();
  }

  onResponseFailed(refusal: Refusal): void {
    const connection = this.#connection;
    const sending = this.#sending;
    this.#forget();
    if (sending !== undefined && this.#isStale(refusal, connection, sending.request)) {
      this.#hasDialledAgain = true;
      if (this.#send(this.target?.pool.dial(), sending)) {
        this.flush();
        return;
      }
    }
    this.#owner.onAttemptFailed(this, refusal);
  }

  onRequestWritable(): void {
    this.#owner.onRequestWritable();
  }

  onFault(error: unknown): void {
    this.#owner.onFault(error);
  }

  #send(connection: ClientConnection | undefined, sending: Sending): boolean {
    if (connection === undefined) return false;
    const { request, head, timeouts, upgrade } = sending;
    this.#connection = connection;
    this.#sending = sending;
    connection.begin(this, request.method, timeouts, upgrade);
    connection.isAwaited = request.expectsContinue;
    if (!request.hasBody) connection.completeRequest();
    connection.writer.text(head);
    return true;
  }

  #isStale({ kind }: Refusal, connection: ClientConnection | undefined, { hasBody, method }: RequestParser): boolean {
    if (kind !== "upstreamReset" || connection === undefined || this.#hasDialledAgain) return false;
    return connection.hasServed && !connection.hasAnswered && !hasBody && IDEMPOTENT.has(method);
  }

  #forget(): void {
    this.#connection = undefined;
    this.#sending = undefined;
  }
}
