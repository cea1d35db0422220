import type { Refusal } from "../../http/refusal.ts";
import type { Deadlined } from "../../http/sweep.ts";
import { NO_TRAILERS } from "../../http/trailers.ts";
import type { PendingCopy } from "../../sdk/request-copy.ts";
import type { Target } from "../upstream/target.ts";
import type { Gateway } from "../worker/gateway.ts";
import { Attempt, type AttemptOwner, type Sending } from "./attempt.ts";

/** Octets of an answer that are read to keep its connection; beyond them it is closed. */
const MAX_UNWANTED_BYTES = 65_536;

/** Who knows the request. */
export interface CopySource {
  /** A target of the upstream; undefined when there is none. */
  targetForCopy(upstream: string): Target | undefined;
  /** What the target is sent with a body of this length; undefined when a plugin failed. */
  copyTo(target: Target, bodyBytes: number): Sending | undefined;
}

/**
 * A copy of a request that goes to another upstream. It belongs to no client: it is sent in one go when all of the request has come,
 * outlives it, and whatever becomes of it is between the target and whoever wanted the copy.
 */
export class CopiedRequest implements AttemptOwner, Deadlined {
  deadlineMs = Number.POSITIVE_INFINITY;
  readonly #pending: PendingCopy;
  readonly #source: CopySource;
  readonly #gateway: Gateway;
  readonly #attempt: Attempt;
  #pieces: Buffer[] = [];
  #bytes = 0;
  #unwantedBytes = 0;

  constructor(pending: PendingCopy, source: CopySource, gateway: Gateway) {
    this.#pending = pending;
    this.#source = source;
    this.#gateway = gateway;
    this.#attempt = new Attempt(this, gateway.clock);
  }

  body(buffer: Buffer, start: number, end: number): void {
    if (this.#pending.isOver) return;
    this.#bytes += end - start;
    if (this.#bytes > this.#pending.copy.maxBodyBytes) this.#end("too_large");
    else this.#pieces.push(Buffer.from(buffer.subarray(start, end)));
  }

  /** All of the request has come. */
  send(): void {
    if (this.#pending.isOver || this.#pending.isSent) return;
    this.#pending.isSent = true;
    try {
      if (!this.#ask()) this.#end("failed");
    } catch (error) {
      this.onFault(error);
    }
    this.#pieces = [];
  }

  onInterimResponse(): void {}

  onResponse(): void {}

  onUpgrade(): void {}

  onResponseBody(_buffer: Buffer, start: number, end: number): void {
    this.#unwantedBytes += end - start;
    if (this.#unwantedBytes <= MAX_UNWANTED_BYTES) return;
    this.#attempt.drop();
    this.#end("answered");
  }

  onResponsePause(): void {}

  onResponseEnd(): void {
    this.#end("answered");
  }

  onAttemptFailed(_attempt: Attempt, _refusal: Refusal): void {
    this.#end("failed");
  }

  onRequestWritable(): void {}

  onDeadline(): void {
    this.#attempt.fail({ kind: "upstreamTimeout", reason: "a copy of a request took too long" });
  }

  onFault(error: unknown): void {
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#gateway.logger.error("A copy of a request met a fault of the gateway", { reason });
    this.#attempt.drop();
    this.#end("failed");
  }

  #ask(): boolean {
    const { copy } = this.#pending;
    const target = this.#source.targetForCopy(copy.upstream);
    if (target === undefined) return false;
    const sending = this.#source.copyTo(target, this.#bytes);
    if (sending === undefined) {
      target.released();
      return false;
    }
    if (!this.#attempt.begin(target, sending)) return false;
    this.deadlineMs = this.#gateway.sweep.in(copy.timeoutMs);
    this.#gateway.sweep.add(this);
    for (const piece of this.#pieces) this.#attempt.body(piece, 0, piece.length);
    if (sending.request.hasBody) this.#attempt.complete(NO_TRAILERS);
    this.#attempt.flush();
    return true;
  }

  #end(fate: "answered" | "failed" | "too_large"): void {
    this.#gateway.sweep.delete(this);
    this.#pieces = [];
    this.#pending.over(fate);
  }
}
