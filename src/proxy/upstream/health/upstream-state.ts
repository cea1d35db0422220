import { STATE_BYTES } from "./target-state.ts";

/** What all workers and the supervisor know together of an upstream, in shared memory; see target-state.ts. */
const CELLS = ["generation", "ejected", "requests", "retries"] as const;
type Cell = (typeof CELLS)[number];
const INDEX = Object.fromEntries(CELLS.map((name, index) => [name, index])) as Record<Cell, number>;

export class UpstreamState {
  readonly memory: SharedArrayBuffer;
  readonly #cells: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.#cells = new Int32Array(memory);
  }

  static create(): UpstreamState {
    return new UpstreamState(new SharedArrayBuffer(STATE_BYTES));
  }

  /** Differs from what it was when it has changed which targets take requests, or how many. */
  get generation(): number {
    return this.#cells[INDEX.generation]!;
  }

  /** To be called after each such change, so that every worker looks again. */
  changed(): void {
    Atomics.add(this.#cells, INDEX.generation, 1);
  }

  /** Takes one of the places for ejected targets, of which there are `most`; false when all are taken. */
  takeEjection(most: number): boolean {
    if (Atomics.add(this.#cells, INDEX.ejected, 1) < most) return true;
    Atomics.sub(this.#cells, INDEX.ejected, 1);
    return false;
  }

  giveEjection(): void {
    Atomics.sub(this.#cells, INDEX.ejected, 1);
  }
}
