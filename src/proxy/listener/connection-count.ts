/**
 * The connections that a listener has open in all workers together: a number for each worker in shared memory, which that worker
 * alone writes. So a worker that crashes takes its connections off with its replacement. Two workers that accept in
 * the same instant may both take the last place.
 */
export class ConnectionCount {
  readonly #counts: Int32Array;
  readonly #worker: number;

  constructor(memory: SharedArrayBuffer, worker: number) {
    this.#counts = new Int32Array(memory);
    this.#worker = worker;
    Atomics.store(this.#counts, worker, 0);
  }

  static memoryFor(workers: number): SharedArrayBuffer {
    return new SharedArrayBuffer(workers * Int32Array.BYTES_PER_ELEMENT);
  }

  get total(): number {
    let total = 0;
    for (let worker = 0; worker < this.#counts.length; worker++) total += Atomics.load(this.#counts, worker);
    return total;
  }

  add(amount: number): void {
    Atomics.add(this.#counts, this.#worker, amount);
  }
}
