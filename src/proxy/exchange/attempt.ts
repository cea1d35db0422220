import type { Clock } from "../../core/clock.ts";
import type { Refusal } from "../../http/refusal.ts";
import type { RequestParser } from "../../http/request-parser.ts";
import { announcedTrailers, NO_TRAILERS, type Trailers, writeTrailers } from "../../http/trailers.ts";
import type { ResponseHandler, ResponseTimeouts, UpstreamChannel } from "../../http/upstream-channel.ts";
import type { Target } from "../upstream/target.ts";
import { endBody, writeBody } from "./body-framing.ts";

/** Methods that a target may get twice without doing more than once (RFC 9110 §9.2.2). */
const IDEMPOTENT = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);

/** What is sent to a target. */
export interface Sending {
  readonly request: Pick<RequestParser, "method" | "fields" | "hasBody" | "chunked" | "expectsContinue">;
  /** The head as the target gets it. */
  readonly head: string;
  readonly timeouts: ResponseTimeouts;
  /** The protocol that the request asks to switch to, in lower case, if any. */
  readonly upgrade: string | undefined;
}

/** Who makes attempts, and is told how they go. Octets of a body are only lent for the call. */
export interface AttemptOwner {
  /** A 1xx head is in `channel.response` for the call. */
  onInterimResponse(channel: UpstreamChannel): void;
  /** The head of the response is in `channel.response` until the end. */
  onResponse(channel: UpstreamChannel): void;
  /** The target has switched protocols; the connection is to be surrendered to a tunnel now. */
  onUpgrade(channel: UpstreamChannel): void;
  onResponseBody(buffer: Buffer, start: number, end: number): void;
  /** All that arrived at once has been handed over: the time to flush. */
  onResponsePause(): void;
  /** The response is complete. */
  onResponseEnd(trailers: Trailers): void;
  /** There will be no response, or it will never be complete. */
  onAttemptFailed(attempt: Attempt, refusal: Refusal): void;
  /** The target has read what waited for it. */
  onRequestWritable(): void;
  onFault(error: unknown): void;
}

/**
 * One try to have a request answered by one target: takes a connection of the target's pool, sends head and body, hands on the
 * response. One object serves one try after another. A connection that ends as nobody's fault, since it had gone stale or its target
 * goes away, is replaced by another one once, when nothing of the request can have been acted on.
 */
export class Attempt implements ResponseHandler {
  target: Target | undefined;
  readonly #owner: AttemptOwner;
  #channel: UpstreamChannel | undefined;
  /** Kept until the response begins, for a connection that turns out to have gone stale. */
  #sending: Sending | undefined;
  #hasDialledAgain = false;
  /** Whether the target has still to be told what became of the request. */
  #isUndecided = false;
  readonly #clock: Clock;
  #startedMs = 0;
  #hasSentBody = false;

  constructor(owner: AttemptOwner, clock: Clock) {
    this.#owner = owner;
    this.#clock = clock;
  }

  /** Whether a target is being asked. */
  get isOpen(): boolean {
    return this.#channel !== undefined;
  }

  /** Sends the head. Answers false when the target has no connection to spare. */
  begin(target: Target, sending: Sending): boolean {
    this.target = target;
    this.#hasDialledAgain = false;
    this.#hasSentBody = false;
    this.#isUndecided = true;
    if (target.isTimed) this.#startedMs = this.#clock.monotonicMs();
    if (this.#send(target.pool.acquire(), sending)) return true;
    this.#release();
    return false;
  }

  /** Sends a piece of the body on. */
  body(buffer: Buffer, start: number, end: number): void {
    const channel = this.#channel;
    if (channel === undefined) return;
    this.#hasSentBody = true;
    channel.isAwaited = false;
    channel.touch();
    writeBody(channel.writer, this.#isChunked(channel), buffer, start, end);
  }

  /** The body is complete. Of the trailers go on those that the head announced, where whoever decides about heads saw them. */
  complete(trailers: Trailers): void {
    const channel = this.#channel;
    if (channel === undefined) return;
    const lines = trailers.length === 0 ? "" : writeTrailers(trailers, this.#announcedTrailers());
    endBody(channel.writer, this.#isChunked(channel), lines);
    channel.completeRequest();
  }

  /** Lets go what was gathered. Answers true when the target cannot keep up, so that no more should be sent for now. */
  flush(): boolean {
    const channel = this.#channel;
    if (channel === undefined) return false;
    channel.writer.flush();
    if (!channel.writer.isFull || channel.isRequestComplete) return false;
    channel.touch();
    return true;
  }

  pause(): void {
    this.#channel?.pause();
  }

  resume(): void {
    this.#channel?.resume();
  }

  /** Gives up: the target's response is not wanted any more. */
  drop(): void {
    const channel = this.#channel;
    this.#forget();
    this.#release();
    channel?.destroy();
    this.target?.settled();
  }

  /** Gives up since the target has failed. */
  fail(refusal: Refusal): void {
    const channel = this.#channel;
    this.#forget();
    channel?.destroy();
    this.#failed(refusal);
  }

  onInterimResponse(): void {
    if (this.#channel !== undefined) this.#owner.onInterimResponse(this.#channel);
  }

  onResponse(): void {
    if (this.#channel === undefined) return;
    this.#decide(this.#channel.response.status);
    this.#owner.onResponse(this.#channel);
  }

  onUpgrade(): void {
    const channel = this.#channel;
    this.#forget();
    this.#decide(101);
    if (channel !== undefined) this.#owner.onUpgrade(channel);
  }

  onResponseBody(buffer: Buffer, start: number, end: number): void {
    this.#owner.onResponseBody(buffer, start, end);
  }

  onResponsePause(): void {
    this.#owner.onResponsePause();
  }

  onResponseEnd(): void {
    const trailers = this.#channel?.trailers ?? NO_TRAILERS;
    this.#forget();
    this.target?.settled();
    this.#owner.onResponseEnd(trailers);
  }

  onResponseFailed(refusal: Refusal): void {
    const channel = this.#channel;
    const sending = this.#sending;
    this.#forget();
    if (sending !== undefined && this.#mayDialAgain(refusal, channel, sending.request)) {
      this.#hasDialledAgain = true;
      if (this.#send(this.target?.pool.dial(), sending)) {
        this.flush();
        return;
      }
    }
    this.#failed(refusal);
  }

  onRequestWritable(): void {
    this.#owner.onRequestWritable();
  }

  onFault(error: unknown): void {
    this.#owner.onFault(error);
  }

  #send(channel: UpstreamChannel | undefined, sending: Sending): boolean {
    if (channel === undefined) return false;
    this.target!.load.inFlight++;
    const { request, head, timeouts, upgrade } = sending;
    this.#channel = channel;
    this.#sending = sending;
    channel.begin(this, request.method, timeouts, upgrade);
    channel.isAwaited = request.expectsContinue;
    if (!request.hasBody) channel.completeRequest();
    channel.writer.text(head);
    return true;
  }

  /**
   * Whether the request may go to another connection of the target at once: the target promises that it did nothing about it, or
   * a kept connection turned out to have gone stale and the request does no harm twice.
   */
  #mayDialAgain(
    { kind }: Refusal,
    channel: UpstreamChannel | undefined,
    { hasBody, method }: Sending["request"],
  ): boolean {
    if (kind !== "upstreamReset" || channel === undefined || this.#hasDialledAgain) return false;
    if (channel.isUnprocessed) return !this.#hasSentBody;
    return channel.hasServed && !channel.hasAnswered && !hasBody && IDEMPOTENT.has(method);
  }

  #isChunked({ takesChunks }: UpstreamChannel): boolean {
    return takesChunks && this.#sending?.request.chunked === true;
  }

  #announcedTrailers(): readonly string[] {
    return (this.#sending && announcedTrailers(this.#sending.request.fields)) ?? [];
  }

  #failed(refusal: Refusal): void {
    this.#isUndecided = false;
    this.target?.failed(this.#clock.monotonicMs());
    this.target?.settled();
    this.#owner.onAttemptFailed(this, refusal);
  }

  /** A response has begun. */
  #decide(status: number): void {
    const { target } = this;
    this.#isUndecided = false;
    if (target?.isTimed !== true) target?.answered(status);
    else {
      const nowMs = this.#clock.monotonicMs();
      target.answered(status, nowMs - this.#startedMs, nowMs);
    }
  }

  /** Nobody will know what the target would have said. */
  #release(): void {
    if (this.#isUndecided) this.target?.released();
    this.#isUndecided = false;
  }

  #forget(): void {
    if (this.#channel !== undefined) this.target!.load.inFlight--;
    this.#channel = undefined;
    this.#sending = undefined;
  }
}
