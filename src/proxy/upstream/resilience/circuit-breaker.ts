import type { CircuitBreakerSettings } from "../../../config/resources/circuit-breaker.ts";
import { CIRCUIT_OFFSET } from "../health/target-state.ts";

const STATES = ["closed", "open", "half_open"] as const;
export type CircuitState = (typeof STATES)[number];
const CLOSED = 0;
const OPEN = 1;
const HALF_OPEN = 2;

const STATE = CIRCUIT_OFFSET;
const FAILURES = CIRCUIT_OFFSET + 1;
const PROBES = CIRCUIT_OFFSET + 2;
const SUCCESSES = CIRCUIT_OFFSET + 3;

/**
 * One circuit breaker for all workers, in the memory of its target or upstream. Closed, it counts failures in a row; at the
 * threshold it opens, in every worker at once. After its time the supervisor makes it half open: so many requests may try, and
 * what becomes of them closes or opens it. An answer to a request from before counts as well: it says as much about the target.
 */
export class CircuitBreaker {
  readonly #cells: Int32Array;
  readonly #threshold: number;
  readonly #maxProbes: number;
  readonly #changed: () => void;

  /** @param changed told when a change here changes who may get requests */
  constructor(
    memory: SharedArrayBuffer,
    { failure_threshold, max_requests }: CircuitBreakerSettings,
    changed: () => void,
  ) {
    this.#cells = new Int32Array(memory);
    this.#threshold = failure_threshold;
    this.#maxProbes = max_requests;
    this.#changed = changed;
  }

  get state(): CircuitState {
    return STATES[Atomics.load(this.#cells, STATE)]!;
  }

  get isOpen(): boolean {
    return this.#cells[STATE] === OPEN;
  }

  /** Failures in a row. */
  get failures(): number {
    return Atomics.load(this.#cells, FAILURES);
  }

  /** Whether a request may go now. What a half-open one admits has to be followed by `record` or `release`. */
  admits(): boolean {
    const state = this.#cells[STATE];
    if (state !== HALF_OPEN) return state === CLOSED;
    if (Atomics.add(this.#cells, PROBES, 1) < this.#maxProbes) return true;
    Atomics.sub(this.#cells, PROBES, 1);
    return false;
  }

  record(isFailure: boolean): void {
    if (!isFailure) this.#succeeded();
    else if (Atomics.add(this.#cells, FAILURES, 1) + 1 >= this.#threshold || this.#cells[STATE] === HALF_OPEN)
      this.open();
  }

  /** The request that was admitted says nothing: its client went away, or it was never sent. */
  release(): void {
    if (Atomics.load(this.#cells, STATE) === HALF_OPEN && Atomics.load(this.#cells, PROBES) > 0)
      Atomics.sub(this.#cells, PROBES, 1);
  }

  open(): void {
    if (Atomics.exchange(this.#cells, STATE, OPEN) !== OPEN) this.#changed();
  }

  /** Lets so many requests try, also where those before were never heard of again. */
  halfOpen(): void {
    Atomics.store(this.#cells, PROBES, 0);
    Atomics.store(this.#cells, SUCCESSES, 0);
    if (Atomics.exchange(this.#cells, STATE, HALF_OPEN) !== HALF_OPEN) this.#changed();
  }

  close(): void {
    Atomics.store(this.#cells, FAILURES, 0);
    if (Atomics.exchange(this.#cells, STATE, CLOSED) !== CLOSED) this.#changed();
  }

  #succeeded(): void {
    if (this.#cells[STATE] === HALF_OPEN) {
      if (Atomics.add(this.#cells, SUCCESSES, 1) + 1 >= this.#maxProbes) this.close();
    } else if (this.#cells[STATE] === CLOSED && this.#cells[FAILURES] !== 0) Atomics.store(this.#cells, FAILURES, 0);
  }
}
