import { RunwayError } from "../../core/failure.ts";

/** Lets one task through at a time, in the order of asking; refuses a task when too many wait already. */
export class Turnstile {
  readonly #maxWaiting: number;
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(maxWaiting = 64) {
    this.#maxWaiting = maxWaiting;
  }

  /** @throws RunwayError `overloaded` when `maxWaiting` tasks wait already; else what the task throws. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#waiting >= this.#maxWaiting)
      throw new RunwayError("overloaded", "Too many changes are waiting. Try again.");
    this.#waiting += 1;
    const result = this.#last.then(task);
    this.#last = result.catch(() => {});
    try {
      return await result;
    } finally {
      this.#waiting -= 1;
    }
  }
}
