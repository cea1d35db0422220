import type { Clock } from "../../core/clock.ts";

/** What a client may do at once, and then each second, far more than a browser that closes a page full of pictures does. */
const BURST = 256;
const PER_SECOND = 32;

/**
 * Counts what costs a client next to nothing and us much more: requests that it takes back (CVE-2023-44487), pings, settings,
 * priorities. A bucket that fills with each and leaks with time.
 */
export class FloodGuard {
  readonly #clock: Clock;
  #level = 0;
  #sinceMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#sinceMs = clock.monotonicMs();
  }

  /** Counts one; answers whether it was one too many. */
  isTooMuch(): boolean {
    const nowMs = this.#clock.monotonicMs();
    this.#level = Math.max(0, this.#level - ((nowMs - this.#sinceMs) * PER_SECOND) / 1_000) + 1;
    this.#sinceMs = nowMs;
    return this.#level > BURST;
  }
}
