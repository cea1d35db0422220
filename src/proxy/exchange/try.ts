import type { Clock } from "../../core/clock.ts";
import type { Refusal } from "../../http/refusal.ts";
import type { Deadlined, Sweep } from "../../http/sweep.ts";
import type { Trailers } from "../../http/trailers.ts";
import type { UpstreamChannel } from "../../http/upstream-channel.ts";
import type { Target } from "../upstream/target.ts";
import { Attempt, type AttemptOwner, type Sending } from "./attempt.ts";

/** Octets of a response nobody wants that are read to keep its connection; beyond them it is closed. */
const MAX_UNWANTED_BYTES = 65_536;
const UNWANTED_MS = 1_000;

/** Who has several tries made, and decides whose response is taken. */
export interface TryOwner {
  onInterim(one: Try, channel: UpstreamChannel): void;
  /** To be followed by `take`, `leave` or `drop`. */
  onHead(one: Try, channel: UpstreamChannel): void;
  onTryFailed(one: Try, refusal: Refusal): void;
  onRequestWritable(): void;
}

/** One of several attempts at a request. Of its response nothing reaches the client before it is taken. */
export class Try implements AttemptOwner, Deadlined {
  deadlineMs: number;
  readonly target: Target;
  readonly attempt: Attempt;
  readonly #owner: TryOwner;
  /** Who gets the response. */
  readonly #client: AttemptOwner;
  readonly #sweep: Sweep;
  #state: "waiting" | "taken" | "left" = "waiting";
  #unwantedBytes = 0;

  /** @param limitMs how long it may take to get a response, connecting included; 0 means any time */
  constructor(
    owner: TryOwner,
    client: AttemptOwner,
    target: Target,
    limitMs: number,
    { clock, sweep }: { readonly clock: Clock; readonly sweep: Sweep },
  ) {
    this.#owner = owner;
    this.#client = client;
    this.target = target;
    this.attempt = new Attempt(this, clock);
    this.#sweep = sweep;
    this.deadlineMs = sweep.in(limitMs);
  }

  begin(sending: Sending): boolean {
    if (!this.attempt.begin(this.target, sending)) return false;
    if (this.deadlineMs !== Number.POSITIVE_INFINITY) this.#sweep.add(this);
    return true;
  }

  /** Its response goes to the client. */
  take(): void {
    this.#state = "taken";
    this.#sweep.delete(this);
  }

  /** Its response is not wanted; it is read to its end if that is near, so that the connection can be used again. */
  leave(): void {
    this.#state = "left";
    this.deadlineMs = this.#sweep.in(UNWANTED_MS);
    this.#sweep.add(this);
  }

  drop(): void {
    this.#state = "left";
    this.#sweep.delete(this);
    this.attempt.drop();
  }

  onDeadline(): void {
    if (this.#state === "left") this.drop();
    else this.attempt.fail({ kind: "upstreamTimeout", reason: "the target did not answer the attempt in time" });
  }

  onInterimResponse(channel: UpstreamChannel): void {
    if (this.#state === "waiting") this.#owner.onInterim(this, channel);
  }

  onResponse(channel: UpstreamChannel): void {
    this.#owner.onHead(this, channel);
  }

  onUpgrade(channel: UpstreamChannel): void {
    this.#owner.onHead(this, channel);
    if (this.#state === "taken") this.#client.onUpgrade(channel);
  }

  onResponseBody(buffer: Buffer, start: number, end: number): void {
    if (this.#state === "taken") this.#client.onResponseBody(buffer, start, end);
    else {
      this.#unwantedBytes += end - start;
      if (this.#unwantedBytes > MAX_UNWANTED_BYTES) this.drop();
    }
  }

  onResponsePause(): void {
    if (this.#state === "taken") this.#client.onResponsePause();
  }

  onResponseEnd(trailers: Trailers): void {
    if (this.#state === "taken") this.#client.onResponseEnd(trailers);
    else this.#sweep.delete(this);
  }

  onAttemptFailed(attempt: Attempt, refusal: Refusal): void {
    this.#sweep.delete(this);
    if (this.#state === "taken") this.#client.onAttemptFailed(attempt, refusal);
    else if (this.#state === "waiting") this.#owner.onTryFailed(this, refusal);
  }

  onRequestWritable(): void {
    this.#owner.onRequestWritable();
  }

  onFault(error: unknown): void {
    this.#client.onFault(error);
  }
}
