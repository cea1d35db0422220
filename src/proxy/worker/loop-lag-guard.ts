/** So many looks in a row decide, so that one long pause, such as of a collector or of the machine, is not taken for overload. */
const LOOKS = 3;

/**
 * Tells whether an event loop cannot keep up. As in CoDel (RFC 8289), what counts is not a peak but that the delay never falls
 * below the limit for a while: that is a queue that does not drain. It is over when the delay stays below half of the limit,
 * so that it does not come and go with each request.
 */
export class LoopLagGuard {
  /** 0 means any delay. */
  maxLagMs = 0;
  #isLate = false;
  #looks = 0;

  get isLate(): boolean {
    return this.#isLate;
  }

  /** Takes the delay of a moment ago. Returns whether `isLate` has changed. */
  observe(lagMs: number): boolean {
    const limitMs = this.maxLagMs === 0 ? Number.POSITIVE_INFINITY : this.maxLagMs;
    const speaksForChange = this.#isLate ? lagMs < limitMs / 2 : lagMs > limitMs;
    this.#looks = speaksForChange ? this.#looks + 1 : 0;
    if (this.#looks < LOOKS) return false;
    this.#looks = 0;
    this.#isLate = !this.#isLate;
    return true;
  }
}
