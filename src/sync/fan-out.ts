import type { Clock } from "../core/clock.ts";

/** Between two of them. */
const PAUSE_MS = 50;

/** Gives the newest configuration to everybody: the first change goes out at once; those that come soon after it go out together. */
export class FanOut {
  readonly #clock: Clock;
  readonly #send: () => void;
  #lastMs = Number.NEGATIVE_INFINITY;
  #isDue = false;

  constructor(clock: Clock, send: () => void) {
    this.#clock = clock;
    this.#send = send;
  }

  request(): void {
    if (this.#isDue) return;
    const waitMs = this.#lastMs + PAUSE_MS - this.#clock.monotonicMs();
    if (waitMs <= 0) this.#begin();
    else {
      this.#isDue = true;
      this.#clock.after(waitMs, () => this.#begin());
    }
  }

  #begin(): void {
    this.#isDue = false;
    this.#lastMs = this.#clock.monotonicMs();
    this.#send();
  }
}
