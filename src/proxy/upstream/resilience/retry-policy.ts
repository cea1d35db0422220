import type { RetrySettings } from "../../../config/resources/retry-policy.ts";
import { statusTable } from "../../../config/resources/status-codes.ts";
import { FAILURES, type FailureKind } from "../../../core/failure.ts";
import { RetryBudget } from "./retry-budget.ts";

/** When a request of a route is attempted again. Made once for each change of configuration. */
export class RetryPolicy {
  readonly budget: RetryBudget;
  /** Attempts after the first. */
  readonly maxFurther: number;
  /** How long to wait for an answer before one more target is asked; undefined where one is asked only after a failure. */
  readonly hedgeDelayMs: number | undefined;
  /** 0 means any time. */
  readonly perTryMs: number;
  readonly maxBodyBytes: number;
  readonly #settings: RetrySettings;
  readonly #statuses: Uint8Array;

  constructor(settings: RetrySettings, memory: SharedArrayBuffer) {
    const { hedging, max_retries, per_try_timeout, max_body_size } = settings;
    const isHedging = hedging?.enabled === true;
    this.budget = new RetryBudget(memory, settings.budget);
    this.maxFurther = isHedging ? hedging.max_requests - 1 : max_retries;
    this.hedgeDelayMs = isHedging ? hedging.delay : undefined;
    this.perTryMs = per_try_timeout ?? 0;
    this.maxBodyBytes = max_body_size;
    this.#settings = settings;
    this.#statuses = statusTable(settings.retryable_statuses);
  }

  isFailure(status: number): boolean {
    return this.#statuses[status] === 1;
  }

  /** Whether the request may be sent again after this failure, or without one. A target that was not reached has done nothing. */
  mayFollow(failure: FailureKind | undefined, method: string): boolean {
    if (failure === "upstreamRefused") return true;
    if (failure !== undefined && !FAILURES[failure].retryable) return false;
    return this.#settings.retryable_methods.includes(method);
  }

  /**
   * How long to wait before further attempt number `further`, counted from 1: anything up to a bound that grows, so that requests that
   * failed together do not come back together.
   */
  pauseMs(further: number, random: number): number {
    const { initial_backoff, max_backoff, backoff_multiplier } = this.#settings;
    return random * Math.min(max_backoff, initial_backoff * backoff_multiplier ** (further - 1));
  }
}

/** Whether a route with these settings ever makes a further attempt, or times each. */
export function asksForRetries(settings: RetrySettings | undefined): settings is RetrySettings {
  if (settings === undefined) return false;
  return settings.max_retries > 0 || settings.hedging?.enabled === true || settings.per_try_timeout !== undefined;
}
