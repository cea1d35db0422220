interface Appointment {
  readonly atMs: number;
  readonly order: number;
  readonly action: () => void;
}

/** Time that passes only when there is nothing left to do now: a binary heap of what is to happen, in order of time. */
export class VirtualTime {
  #nowMs = 0;
  #order = 0;
  readonly #heap: Appointment[] = [];

  get nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, action: () => void): void {
    this.at(this.#nowMs + Math.max(0, delayMs), action);
  }

  at(atMs: number, action: () => void): void {
    this.#rise({ atMs: Math.max(atMs, this.#nowMs), order: this.#order++, action });
  }

  /** Lets the next thing happen. @returns whether there was one before `limitMs` */
  advance(limitMs: number): boolean {
    const first = this.#heap[0];
    if (first === undefined || first.atMs > limitMs) return false;
    const last = this.#heap.pop()!;
    if (this.#heap.length > 0) this.#sink(last);
    this.#nowMs = first.atMs;
    first.action();
    return true;
  }

  /** From a new place at the end to where it belongs. */
  #rise(appointment: Appointment): void {
    const heap = this.#heap;
    let place = heap.length;
    while (place > 0) {
      const parent = heap[(place - 1) >> 1]!;
      if (!isBefore(appointment, parent)) break;
      heap[place] = parent;
      place = (place - 1) >> 1;
    }
    heap[place] = appointment;
  }

  /** From the place of the first to where it belongs. */
  #sink(appointment: Appointment): void {
    const heap = this.#heap;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (!isBefore(heap[child]!, appointment)) break;
      heap[place] = heap[child]!;
      place = child;
    }
    heap[place] = appointment;
  }
}

function isBefore(one: Appointment, other: Appointment): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
}
