import type { RequestQueueSettings } from "../../../config/resources/request-queue.ts";
import type { Deadlined, Sweep } from "../../../http/sweep.ts";

/** A request that waits for a place at a target. */
export interface Waiting {
  /** Tries to find a place. Answers false when there is still none. */
  onTurn(): boolean;
  /** It has waited for as long as it may. */
  onWaitedTooLong(): void;
}

/**
 * Requests that wait for a place at any target of an upstream, in a worker, first come first served. The first is tried whenever a
 * request to one of the targets ends, and at each sweep, since places may become free through others that share a target.
 */
export class RequestQueue implements Deadlined {
  /** Always passed, so that each sweep looks here. */
  readonly deadlineMs = Number.NEGATIVE_INFINITY;
  readonly #sweep: Sweep;
  readonly #maxDepth: number;
  readonly #maxWaitMs: number;
  readonly #waiting = new Map<Waiting, number>();
  #isServing = false;

  constructor({ max_depth, max_wait }: RequestQueueSettings, sweep: Sweep) {
    this.#sweep = sweep;
    this.#maxDepth = max_depth;
    this.#maxWaitMs = max_wait;
  }

  hasLimits({ max_depth, max_wait }: RequestQueueSettings): boolean {
    return max_depth === this.#maxDepth && max_wait === this.#maxWaitMs;
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  /** Answers false when there is no room. */
  enter(waiting: Waiting): boolean {
    if (this.#waiting.size >= this.#maxDepth) return false;
    if (this.isEmpty) this.#sweep.add(this);
    this.#waiting.set(waiting, this.#sweep.in(this.#maxWaitMs));
    return true;
  }

  /** It waits no more. */
  leave(waiting: Waiting): void {
    if (this.#waiting.delete(waiting) && this.isEmpty) this.#sweep.delete(this);
  }

  /** There may be a place. */
  serve(): void {
    if (this.isEmpty || this.#isServing) return;
    this.#isServing = true;
    for (const waiting of this.#waiting.keys()) {
      if (!waiting.onTurn()) break;
      this.leave(waiting);
    }
    this.#isServing = false;
  }

  onDeadline(): void {
    for (const [waiting, deadlineMs] of this.#waiting) {
      if (deadlineMs > this.#sweep.nowMs) break;
      this.leave(waiting);
      waiting.onWaitedTooLong();
    }
    this.serve();
  }
}
