import type { RetrySettings } from "../../../config/resources/retry-policy.ts";

const REQUESTS = 0;
const RETRIES = 1;
const BYTES = 2 * Int32Array.BYTES_PER_ELEMENT;

/**
 * How many further attempts a route may make: within any window no more than its share of the requests, or a small number when there
 * are few. Counted by all workers together in shared memory; what is older than the window is taken out again by the supervisor
 * (`RetryBudgetWatch`), so that workers need no clock.
 */
export class RetryBudget {
  readonly memory: SharedArrayBuffer;
  readonly #cells: Int32Array;
  readonly #ratio: number;
  readonly #least: number;

  constructor(memory: SharedArrayBuffer, { ratio, min_retries }: RetrySettings["budget"]) {
    this.memory = memory;
    this.#cells = new Int32Array(memory);
    this.#ratio = ratio;
    this.#least = min_retries;
  }

  static memory(): SharedArrayBuffer {
    return new SharedArrayBuffer(BYTES);
  }

  /** A request has begun. */
  count(): void {
    Atomics.add(this.#cells, REQUESTS, 1);
  }

  /** Whether one more attempt may be made; if so, it is counted. */
  take(): boolean {
    const most = Math.max(this.#least, this.#ratio * Atomics.load(this.#cells, REQUESTS));
    if (Atomics.add(this.#cells, RETRIES, 1) + 1 <= most) return true;
    Atomics.sub(this.#cells, RETRIES, 1);
    return false;
  }

  /** What is in the window now. */
  read(): { readonly requests: number; readonly retries: number } {
    return { requests: Atomics.load(this.#cells, REQUESTS), retries: Atomics.load(this.#cells, RETRIES) };
  }

  forget({ requests, retries }: { readonly requests: number; readonly retries: number }): void {
    Atomics.sub(this.#cells, REQUESTS, requests);
    Atomics.sub(this.#cells, RETRIES, retries);
  }
}
