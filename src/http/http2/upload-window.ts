import { ReceiveWindow } from "./flow-window.ts";
import { DEFAULT_WINDOW_BYTES } from "./frame.ts";
import type { WindowBudget } from "./window-budget.ts";

/** So much of an upload gets through in the time that a packet takes there and back. */
const MAX_BYTES = 1_048_576;

/**
 * What a client may still send on a stream. The window doubles with each grant while all that comes is taken at once, so that an upload over
 * a long path becomes as fast as the path; what the budget does not give it does without. Where the upload had to wait for its upstream, a
 * wider window would only be more to keep, and it stays as it is.
 */
export class UploadWindow {
  readonly #window = new ReceiveWindow(DEFAULT_WINDOW_BYTES);
  readonly #budget: WindowBudget;
  #hasWaited = false;

  constructor(budget: WindowBudget) {
    this.#budget = budget;
  }

  /** Answers false when the client has sent more than it may. */
  take(bytes: number): boolean {
    return this.#window.take(bytes);
  }

  /** What came was not taken at once. */
  waited(): void {
    this.#hasWaited = true;
  }

  /** What the client is to be granted now; 0 while it is not worth a frame. */
  grant(): number {
    const window = this.#window;
    if (!window.isDue) return 0;
    const wanted = this.#hasWaited ? 0 : Math.min(window.size, MAX_BYTES - window.size);
    this.#hasWaited = false;
    return window.grant(this.#budget.take(wanted));
  }

  /** The upload is over, and the next stream begins anew. */
  reset(): void {
    this.#budget.giveBack(this.#window.size - DEFAULT_WINDOW_BYTES);
    this.#window.reset(DEFAULT_WINDOW_BYTES);
    this.#hasWaited = false;
  }
}
