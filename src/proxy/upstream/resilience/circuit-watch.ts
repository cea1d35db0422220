import type { CircuitBreakerSettings } from "../../../config/resources/circuit-breaker.ts";
import type { Logger } from "../../../core/ports.ts";
import type { CircuitBreaker, CircuitState } from "./circuit-breaker.ts";

/** The supervisor's side of a circuit breaker: what takes time, and what is said about it. */
export class CircuitWatch {
  readonly breaker: CircuitBreaker;
  /** How often it has opened. */
  opened = 0;
  readonly #settings: CircuitBreakerSettings;
  readonly #logger: Logger;
  readonly #onClosed: () => void;
  #seen: CircuitState;
  #sinceMs = 0;

  /** @param onClosed told when it has closed after it was open */
  constructor(breaker: CircuitBreaker, settings: CircuitBreakerSettings, logger: Logger, onClosed: () => void) {
    this.breaker = breaker;
    this.#settings = settings;
    this.#logger = logger;
    this.#onClosed = onClosed;
    this.#seen = breaker.state;
  }

  look(nowMs: number): void {
    const { state } = this.breaker;
    if (state !== this.#seen) this.#turn(state, nowMs);
    // Half open is left by what becomes of its requests; of those of a worker that crashed nobody hears.
    if (state !== "closed" && nowMs - this.#sinceMs >= this.#settings.timeout) {
      this.breaker.halfOpen();
      this.#turn("half_open", nowMs);
    }
  }

  #turn(state: CircuitState, nowMs: number): void {
    const before = this.#seen;
    this.#seen = state;
    this.#sinceMs = nowMs;
    if (state === before) return;
    const fields = { circuit: state };
    if (state === "open") {
      this.opened++;
      this.#logger.warn("A circuit breaker opened: it lets no requests through", fields);
    } else if (state === "half_open") this.#logger.info("A circuit breaker lets requests try", fields);
    else {
      this.#logger.info("A circuit breaker closed", fields);
      this.#onClosed();
    }
  }
}
