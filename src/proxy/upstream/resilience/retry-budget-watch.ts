import type { RetryBudget } from "./retry-budget.ts";

/** Parts of the window that are forgotten one at a time. */
const PARTS = 10;

/** The supervisor's side of a retry budget: takes out what has become older than the window. */
export class RetryBudgetWatch {
  readonly budget: RetryBudget;
  readonly windowMs: number;
  readonly #partMs: number;
  /** What came in each part of the window, the oldest first. */
  readonly #parts: { readonly requests: number; readonly retries: number }[] = [];
  #kept = { requests: 0, retries: 0 };
  #lookedMs: number;

  constructor(budget: RetryBudget, windowMs: number, nowMs: number) {
    this.budget = budget;
    this.windowMs = windowMs;
    this.#partMs = windowMs / PARTS;
    this.#lookedMs = nowMs;
  }

  look(nowMs: number): void {
    if (nowMs - this.#lookedMs < this.#partMs) return;
    this.#lookedMs = nowMs;
    const now = this.budget.read();
    this.#parts.push({ requests: now.requests - this.#kept.requests, retries: now.retries - this.#kept.retries });
    const gone = this.#parts.length > PARTS ? this.#parts.shift()! : { requests: 0, retries: 0 };
    this.budget.forget(gone);
    this.#kept = { requests: now.requests - gone.requests, retries: now.retries - gone.retries };
  }
}
