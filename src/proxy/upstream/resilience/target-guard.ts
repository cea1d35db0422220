import type { OutlierDetection } from "../../../config/resources/outlier-detection.ts";
import type { TargetState } from "../health/target-state.ts";
import type { UpstreamState } from "../health/upstream-state.ts";
import type { CircuitBreaker } from "./circuit-breaker.ts";

/** What a worker makes of the fate of requests to one target: it counts, and at a limit leaves the target out at once. */
export class TargetGuard {
  readonly state: TargetState;
  /** The target's own, or the one of its upstream. */
  readonly breaker: CircuitBreaker | undefined;
  readonly #upstream: UpstreamState;
  readonly #outliers: OutlierDetection | undefined;
  readonly #maxEjected: number;

  constructor(
    state: TargetState,
    upstream: UpstreamState,
    policy: {
      readonly breaker: CircuitBreaker | undefined;
      readonly outliers: OutlierDetection | undefined;
      /** How many targets of the upstream may be left out at a time. */
      readonly maxEjected: number;
    },
  ) {
    this.state = state;
    this.#upstream = upstream;
    this.breaker = policy.breaker;
    this.#outliers = policy.outliers;
    this.#maxEjected = policy.maxEjected;
  }

  /** Whether a request may go now; if so, `record` or `release` is to follow. */
  admits(): boolean {
    return this.breaker === undefined || this.breaker.admits();
  }

  record(isFailure: boolean): void {
    this.breaker?.record(isFailure);
    if (this.#outliers === undefined) return;
    if (!isFailure) {
      this.state.succeeded();
      return;
    }
    const inRow = this.state.failed();
    const { consecutive_failures } = this.#outliers;
    if (consecutive_failures > 0 && inRow >= consecutive_failures) this.eject();
  }

  /** Leaves the target out, as far as so many may be. Answers whether it did. */
  eject(): boolean {
    if (this.state.isEjected || !this.#upstream.takeEjection(this.#maxEjected)) return false;
    if (!this.state.eject()) {
      this.#upstream.giveEjection();
      return false;
    }
    this.#upstream.changed();
    return true;
  }

  release(): void {
    this.breaker?.release();
  }
}
