/*
 * Numbers that all workers of a node share, by key: limits that hold for the node and not for each thread.
 *
 * A table in shared memory, set-associative as a processor's cache: a key's hash names a set of eight places. Each set has a
 * lock, held for the few steps of one update, so that what happens to a key is exact whatever the number of workers. Keys are known by
 * 64 bits of a hash with a random seed, so that nobody outside can choose two that meet.
 *
 * The table is bounded, and clients choose keys, so somebody will fill it on purpose, to have a key forgotten whose limit is used up.
 * Therefore a place knows what would be given away if it were forgotten: its worth, from 0 to 1, which fades evenly until it is nothing
 * when the place expires. A new key takes the place of least worth in its set, so any number of keys that were used once do not
 * drive out one that was used much. Where all eight are worth nearly 1, none is forgotten: what finds no place shares one that the set has
 * besides, and with it one limit. Under such a flood the keys that are known keep their own limits, and the others get less than theirs
 * rather than more. See docs/decisions/0023-full-table-of-limits.md.
 */

const SETS = 8_192;
const WAYS = 8;
/** Hash (two halves), time of expiry, worth lost in a millisecond, then what belongs to the key. */
const PLACE = 7;
const OWN = 4;
const NUMBERS = 3;
/** Those of the set's keys, and the one that is shared. */
const PLACES = WAYS + 1;
const HEADER = 2;
const CELLS = HEADER + SETS * PLACES * PLACE;
const BYTES = CELLS * Float64Array.BYTES_PER_ELEMENT + SETS * Int32Array.BYTES_PER_ELEMENT;
/** What is worth more is not forgotten before its time. */
const MAX_FORGOTTEN_WORTH = 0.9;
/** What a lock says. Who waits says so, and nobody is called where nobody waits (U. Drepper, Futexes Are Tricky, 2011, mutex 2). */
const FREE = 0;
const TAKEN = 1;
const AWAITED = 2;
const SPINS = 1_000;
/** A thread that was ended while it held a lock is not waited for longer. */
const MAX_WAITS = 100;

/** What is known of a key while it is updated. */
export interface NumbersEntry {
  /** Three, zero for a new key; to be changed in place. */
  readonly numbers: Float64Array;
  /** Whether the key found no place, so that the numbers are those of others too. */
  readonly isShared: boolean;
  /** To be set: how long the numbers mean anything. */
  keepMs: number;
  /** To be set: from 0 to 1, how much would be lost if they were forgotten now. It fades until they mean nothing. */
  worth: number;
}

/** Must be short; what it answers is the answer of `update`. */
export type NumbersStep<Result> = (entry: NumbersEntry, nowMs: number) => Result;

/** Numbers of keys that begin alike. */
export interface NumbersGroup {
  /**
   * Runs `step` on the numbers of `key` while no other worker does anything to them. `nowMs` comes from a clock that all workers share
   * and that never goes back.
   */
  update<Result>(key: string, step: NumbersStep<Result>): Result;
}

/** The two hashes of a key as far as it was read, and how far that is. */
interface HashState {
  low: number;
  high: number;
  length: number;
}

export class SharedNumbers implements NumbersGroup {
  /** The memory for a table, to be given to every thread. */
  static allocate(): SharedArrayBuffer {
    const memory = new SharedArrayBuffer(BYTES);
    new Uint32Array(memory, 0, 2).set(crypto.getRandomValues(new Uint32Array(2)));
    return memory;
  }

  readonly #cells: Float64Array;
  readonly #locks: Int32Array;
  /** Of no key. */
  readonly #seed: HashState;
  /** Of the key that is updated. */
  readonly #hash: HashState = { low: 0, high: 0, length: 0 };
  /** What this thread's clock is behind the one of the system, which is one for all threads and never goes back. */
  readonly #behindMs = systemMs() - performance.now();
  readonly #entry = { numbers: new Float64Array(NUMBERS), isShared: false, keepMs: 0, worth: 0 };

  constructor(memory: SharedArrayBuffer) {
    this.#cells = new Float64Array(memory, 0, CELLS);
    this.#locks = new Int32Array(memory, CELLS * Float64Array.BYTES_PER_ELEMENT, SETS);
    const [low = 0, high = 0] = new Int32Array(memory, 0, 2);
    this.#seed = { low, high, length: 0 };
  }

  update<Result>(key: string, step: NumbersStep<Result>): Result {
    return this.#update(this.#seed, key, step);
  }

  /** The numbers of all keys that begin so. What keys have in common is looked at once that way, and not for each update. */
  under(prefix: string): NumbersGroup {
    const start = { ...this.#seed };
    read(prefix, start);
    return { update: (key, step) => this.#update(start, key, step) };
  }

  #update<Result>({ low, high, length }: HashState, key: string, step: NumbersStep<Result>): Result {
    const hash = this.#hash;
    hash.low = low;
    hash.high = high;
    hash.length = length;
    read(key, hash);
    return this.#updateLocked(finished(hash.low ^ hash.length), finished(hash.high ^ hash.length), step);
  }

  #updateLocked<Result>(low: number, high: number, step: NumbersStep<Result>): Result {
    const set = low & (SETS - 1);
    this.#lock(set);
    try {
      const nowMs = this.#behindMs + performance.now();
      return this.#run(this.#find(set, low, high, nowMs), step, nowMs);
    } finally {
      if (Atomics.exchange(this.#locks, set, FREE) === AWAITED) Atomics.notify(this.#locks, set, 1);
    }
  }

  #run<Result>(at: number, step: NumbersStep<Result>, nowMs: number): Result {
    const cells = this.#cells;
    const entry = this.#entry;
    for (let n = 0; n < NUMBERS; n++) entry.numbers[n] = cells[at + OWN + n]!;
    const result = step(entry, nowMs);
    for (let n = 0; n < NUMBERS; n++) cells[at + OWN + n] = entry.numbers[n]!;
    cells[at + 2] = nowMs + entry.keepMs;
    cells[at + 3] = entry.worth / Math.max(1, entry.keepMs);
    return result;
  }

  /** The place of the key, made for it where there was none. */
  #find(set: number, low: number, high: number, nowMs: number): number {
    const cells = this.#cells;
    const first = HEADER + set * PLACES * PLACE;
    let least = first;
    let leastWorth = Number.POSITIVE_INFINITY;
    this.#entry.isShared = false;
    for (let at = first; at < first + WAYS * PLACE; at += PLACE) {
      const leftMs = cells[at + 2]! - nowMs;
      if (cells[at] === low && cells[at + 1] === high && leftMs > 0) return at;
      const worth = leftMs * cells[at + 3]!;
      if (worth >= leastWorth) continue;
      least = at;
      leastWorth = worth;
    }
    if (leastWorth <= MAX_FORGOTTEN_WORTH) return this.#give(least, low, high);
    this.#entry.isShared = true;
    const shared = first + WAYS * PLACE;
    return cells[shared + 2]! > nowMs ? shared : this.#give(shared, 0, 0);
  }

  #give(at: number, low: number, high: number): number {
    this.#cells[at] = low;
    this.#cells[at + 1] = high;
    for (let cell = at + 2; cell < at + PLACE; cell++) this.#cells[cell] = 0;
    return at;
  }

  #lock(set: number): void {
    for (let spin = 0; spin < SPINS; spin++)
      if (Atomics.compareExchange(this.#locks, set, FREE, TAKEN) === FREE) return;
    for (let waits = 0; waits < MAX_WAITS; waits++) {
      if (Atomics.exchange(this.#locks, set, AWAITED) === FREE) return;
      Atomics.wait(this.#locks, set, AWAITED, 1);
    }
  }
}

function systemMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1_000 + nanoseconds / 1_000_000;
}

/** MurmurHash3 (32 bits, by code units), Austin Appleby, public domain: two hashes with a seed each, in one pass. */
function read(key: string, hash: HashState): void {
  let { low, high } = hash;
  for (let at = 0; at < key.length; at++) {
    let k = Math.imul(key.charCodeAt(at), 0xcc9e2d51);
    k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
    low = mixed(low ^ k);
    high = mixed(high ^ k);
  }
  hash.low = low;
  hash.high = high;
  hash.length += key.length;
}

function mixed(h: number): number {
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
}

function finished(h: number): number {
  const once = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  const twice = Math.imul(once ^ (once >>> 13), 0xc2b2ae35);
  return twice ^ (twice >>> 16);
}
