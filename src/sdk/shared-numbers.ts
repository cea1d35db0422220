/*
 * Numbers that all workers of a node share, by key: limits that hold for the node and not for each thread.
 *
 * A table in shared memory, set-associative as a processor's cache: a key's hash names a set of eight places. Each set has a
 * lock, held for the few steps of one update, so that what happens to a key is exact whatever the number of workers. A set that is full gives
 * up the place that expires first: the table is bounded and never refuses anybody. Keys are known by 64 bits of a hash with a
 * random seed, so that nobody outside can choose two that meet.
 */

const SETS = 8_192;
const WAYS = 8;
/** Hash (two halves), time of expiry, then what belongs to the key. */
const PLACE = 6;
const NUMBERS = 3;
const HEADER = 2;
const BYTES = (HEADER + SETS * WAYS * PLACE) * Float64Array.BYTES_PER_ELEMENT + SETS * Int32Array.BYTES_PER_ELEMENT;
const SPINS = 1_000;
/** A thread that was ended while it held a lock is not waited for longer. */
const MAX_WAITS = 100;

/** Changes the numbers of a key in place. Must be short; what it answers is the answer of `update`. */
export type NumbersStep<Result> = (numbers: Float64Array, nowMs: number) => Result;

export class SharedNumbers {
  /** The memory for a table, to be given to every thread. */
  static allocate(): SharedArrayBuffer {
    const memory = new SharedArrayBuffer(BYTES);
    new Uint32Array(memory, 0, 2).set(crypto.getRandomValues(new Uint32Array(2)));
    return memory;
  }

  readonly #cells: Float64Array;
  readonly #locks: Int32Array;
  readonly #seed: Uint32Array;
  readonly #numbers: Float64Array;

  constructor(memory: SharedArrayBuffer) {
    const cells = HEADER + SETS * WAYS * PLACE;
    this.#cells = new Float64Array(memory, 0, cells);
    this.#locks = new Int32Array(memory, cells * Float64Array.BYTES_PER_ELEMENT, SETS);
    this.#seed = new Uint32Array(memory, 0, 2);
    this.#numbers = new Float64Array(NUMBERS);
  }

  /**
   * Runs `step` on the three numbers of `key`, which are zero for a new key, while no other worker does anything to them.
   * A key that is not used for `keepMs` is forgotten. `nowMs` comes from a clock that all workers share and that never goes back.
   */
  update<Result>(key: string, keepMs: number, step: NumbersStep<Result>): Result {
    const low = hash(key, this.#seed[0]!);
    const high = hash(key, this.#seed[1]!);
    const set = low & (SETS - 1);
    this.#lock(set);
    try {
      const nowMs = sharedNowMs();
      const at = this.#find(set, low, high, nowMs);
      const numbers = this.#numbers;
      for (let n = 0; n < NUMBERS; n++) numbers[n] = this.#cells[at + 3 + n]!;
      const result = step(numbers, nowMs);
      for (let n = 0; n < NUMBERS; n++) this.#cells[at + 3 + n] = numbers[n]!;
      this.#cells[at + 2] = nowMs + keepMs;
      return result;
    } finally {
      Atomics.store(this.#locks, set, 0);
      Atomics.notify(this.#locks, set, 1);
    }
  }

  /** The place of the key, made for it where there was none. */
  #find(set: number, low: number, high: number, nowMs: number): number {
    const cells = this.#cells;
    let soonest = -1;
    for (let way = 0; way < WAYS; way++) {
      const at = HEADER + (set * WAYS + way) * PLACE;
      if (cells[at] === low && cells[at + 1] === high && cells[at + 2]! > nowMs) return at;
      if (soonest < 0 || cells[at + 2]! < cells[soonest + 2]!) soonest = at;
    }
    cells[soonest] = low;
    cells[soonest + 1] = high;
    cells.fill(0, soonest + 3, soonest + PLACE);
    return soonest;
  }

  #lock(set: number): void {
    for (let waits = 0; waits < MAX_WAITS; waits++) {
      for (let spin = 0; spin < SPINS; spin++) if (Atomics.compareExchange(this.#locks, set, 0, 1) === 0) return;
      Atomics.wait(this.#locks, set, 1, 1);
    }
  }
}

/** Milliseconds of the system's monotonic clock, which is one for all threads. */
function sharedNowMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1_000 + nanoseconds / 1_000_000;
}

/** MurmurHash3 (32 bits, by code units), Austin Appleby, public domain. */
function hash(key: string, seed: number): number {
  let h = seed;
  for (let at = 0; at < key.length; at++) {
    let k = Math.imul(key.charCodeAt(at), 0xcc9e2d51);
    k = (k << 15) | (k >>> 17);
    h ^= Math.imul(k, 0x1b873593);
    h = (h << 13) | (h >>> 19);
    h = (Math.imul(h, 5) + 0xe6546b64) | 0;
  }
  h ^= key.length;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
