/**
 * What all workers and the supervisor know together of one target, in shared memory. Workers count and act at once when a limit is
 * reached; whatever takes time (being let in again, growing back) is done by the supervisor alone, so that nobody has to agree
 * on a clock. The supervisor gives a target the same memory for as long as configurations name it in the same place.
 */
const CELLS = ["ejected", "failing", "failuresInRow", "successes", "failures", "share"] as const;
type Cell = (typeof CELLS)[number];
const INDEX = Object.fromEntries(CELLS.map((name, index) => [name, index])) as Record<Cell, number>;

/** Of the memory of a target and of an upstream alike, behind their own cells: see circuit-breaker.ts. */
export const CIRCUIT_OFFSET = 8;
export const STATE_BYTES = 16 * Int32Array.BYTES_PER_ELEMENT;

/** Shares are kept in thousandths. */
const FULL_SHARE = 1_000;

export class TargetState {
  readonly memory: SharedArrayBuffer;
  readonly #cells: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.#cells = new Int32Array(memory);
  }

  static create(): TargetState {
    const state = new TargetState(new SharedArrayBuffer(STATE_BYTES));
    state.share = 1;
    return state;
  }

  /** Whether neither checks nor requests say that it is not well. */
  get isWell(): boolean {
    return this.#cells[INDEX.ejected] === 0 && this.#cells[INDEX.failing] === 0;
  }

  get isEjected(): boolean {
    return Atomics.load(this.#cells, INDEX.ejected) === 1;
  }

  /** Answers false when it was ejected already. */
  eject(): boolean {
    return Atomics.exchange(this.#cells, INDEX.ejected, 1) === 0;
  }

  admit(): void {
    Atomics.store(this.#cells, INDEX.failuresInRow, 0);
    Atomics.store(this.#cells, INDEX.ejected, 0);
  }

  /** What active checks say. */
  get isFailing(): boolean {
    return Atomics.load(this.#cells, INDEX.failing) === 1;
  }

  set isFailing(isFailing: boolean) {
    Atomics.store(this.#cells, INDEX.failing, isFailing ? 1 : 0);
  }

  /** The part of its weight that counts, above 0; below 1 while it starts slowly. */
  get share(): number {
    return Atomics.load(this.#cells, INDEX.share) / FULL_SHARE;
  }

  set share(share: number) {
    Atomics.store(this.#cells, INDEX.share, Math.round(share * FULL_SHARE));
  }

  succeeded(): void {
    Atomics.add(this.#cells, INDEX.successes, 1);
    if (this.#cells[INDEX.failuresInRow] !== 0) Atomics.store(this.#cells, INDEX.failuresInRow, 0);
  }

  /** Answers how many failures there are in a row by now. */
  failed(): number {
    Atomics.add(this.#cells, INDEX.failures, 1);
    return Atomics.add(this.#cells, INDEX.failuresInRow, 1) + 1;
  }

  /** What was counted since the last call. */
  take(): { readonly successes: number; readonly failures: number } {
    return {
      successes: Atomics.exchange(this.#cells, INDEX.successes, 0),
      failures: Atomics.exchange(this.#cells, INDEX.failures, 0),
    };
  }
}
